#+ title: "curl: answers as CSV, a thing as Turtle"
#+ title_zh: curl：以 CSV 获取查询结果，以 Turtle 获取某一事物
#+ needs: curl
curl -fsS 'http://127.0.0.1:8000/query/datasets-by-modality?modality=ct&format=csv' -o ct.csv
curl -fsS -H 'Accept: text/turtle' http://127.0.0.1:8000/dataset/gemex -o gemex.ttl
cat > count.rq <<'END'
PREFIX mb: <https://w3id.org/medbench-kg/ontology#>
SELECT (COUNT(*) AS ?benchmarks) { ?dataset a mb:Benchmark }
END
curl -fsS -H 'Accept: text/csv' --data-urlencode query@count.rq http://127.0.0.1:8000/sparql
