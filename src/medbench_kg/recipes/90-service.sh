#+ title: "SERVICE: your graph joined to ours by DICOM, MeSH and Wikidata codes, from another engine"
#+ title_zh: SERVICE：在其他引擎中，通过 DICOM、MeSH 与 Wikidata 代码将您的图谱与本图谱连接
#+ needs: pip install oxigraph; oxigraph serve
#+ needs_zh: pip install oxigraph；oxigraph serve
cat > studies.ttl <<'END'
@prefix dcterms: <http://purl.org/dc/terms/> .
<https://hospital.example/study/1> dcterms:subject <http://dicom.nema.org/resources/ontology/DCM/US> .
<https://hospital.example/study/2> dcterms:subject <http://id.nlm.nih.gov/mesh/D008279> .
<https://hospital.example/study/3> dcterms:subject <http://www.wikidata.org/entity/Q32566> .
END
curl -fsS -H 'Content-Type: text/turtle' -T studies.ttl -X POST 'http://127.0.0.1:7878/store?default'
cat > join.rq <<'END'
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX mb: <https://w3id.org/medbench-kg/ontology#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?study (COUNT(DISTINCT ?dataset) AS ?benchmarks) {
  ?study dcterms:subject ?code .
  SERVICE <http://127.0.0.1:8000/sparql> {
    ?concept skos:exactMatch|skos:closeMatch ?code .
    ?dataset a mb:Benchmark ; mb:modality/skos:broader* ?concept .
  }
} GROUP BY ?study ORDER BY ?study
END
curl -fsS -H 'Accept: text/csv' --data-urlencode query@join.rq http://127.0.0.1:7878/query
