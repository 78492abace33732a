#+ title: "Oxigraph: the dump in a server of your own"
#+ title_zh: Oxigraph：将导出文件载入自己的服务器
#+ needs: pip install oxigraph; oxigraph serve
#+ needs_zh: pip install oxigraph；oxigraph serve
curl -fsSO http://127.0.0.1:8000/data/medbench.nq
curl -fsS -H 'Content-Type: application/n-quads' -T medbench.nq -X POST http://127.0.0.1:7878/store
curl -fsSO http://127.0.0.1:8000/query/most-reused-sources.rq
curl -fsS -H 'Accept: text/csv' --data-urlencode query@most-reused-sources.rq http://127.0.0.1:7878/query
