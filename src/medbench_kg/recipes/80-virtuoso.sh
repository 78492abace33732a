#+ title: "Virtuoso: the dump in a graph of its own"
#+ title_zh: Virtuoso：将导出文件载入一个命名图
#+ needs: apt install virtuoso-opensource; this folder in DirsAllowed of virtuoso.ini
#+ needs_zh: apt install virtuoso-opensource；virtuoso.ini 的 DirsAllowed 须含当前目录
curl -fsSO http://127.0.0.1:8000/data/medbench.nt
isql-vt 1111 dba dba exec="ld_dir('$PWD', 'medbench.nt', 'https://w3id.org/medbench-kg/'); rdf_loader_run();" > loaded.txt
curl -fsSO http://127.0.0.1:8000/query/most-reused-sources.rq
curl -fsS -H 'Accept: text/csv' --data-urlencode query@most-reused-sources.rq \
  --data-urlencode default-graph-uri=https://w3id.org/medbench-kg/ http://127.0.0.1:8890/sparql
