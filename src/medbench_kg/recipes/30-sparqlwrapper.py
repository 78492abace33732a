#+ title: "SPARQLWrapper: any query to the endpoint"
#+ title_zh: SPARQLWrapper：向端点发送任意查询
#+ needs: pip install sparqlwrapper
from urllib.request import urlopen

from SPARQLWrapper import JSON, SPARQLWrapper

server = "http://127.0.0.1:8000"
endpoint = SPARQLWrapper(f"{server}/sparql", returnFormat=JSON)
endpoint.setQuery(urlopen(f"{server}/query/most-reused-sources.rq").read().decode())
for row in endpoint.queryAndConvert()["results"]["bindings"]:
    print(row["transitive"]["value"], row["title"]["value"])
