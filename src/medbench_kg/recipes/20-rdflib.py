#+ title: "rdflib: the graph in memory, asked with a canned query"
#+ title_zh: rdflib：将图谱载入内存，用预置查询提问
#+ needs: pip install rdflib
from urllib.request import urlopen

from rdflib import Graph

server = "http://127.0.0.1:8000"
graph = Graph().parse(f"{server}/data/medbench.ttl")
question = urlopen(f"{server}/query/papers-with-several-datasets.rq").read().decode()
print(graph.query(question).serialize(format="csv").decode())
