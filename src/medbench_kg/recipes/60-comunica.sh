#+ title: "Comunica: our endpoint and a file of yours as one graph"
#+ title_zh: Comunica：将本端点与您的文件作为一个图谱查询
#+ needs: npm install @comunica/query-sparql-file
cat > used.ttl <<'END'
@prefix dcterms: <http://purl.org/dc/terms/> .
<https://lab.example/paper/1> dcterms:references <https://w3id.org/medbench-kg/dataset/gemex> .
END
comunica-sparql-file http://127.0.0.1:8000/sparql used.ttl -t text/csv '
  PREFIX dcterms: <http://purl.org/dc/terms/>
  SELECT ?paper ?title { ?paper dcterms:references ?dataset . ?dataset dcterms:title ?title }'
