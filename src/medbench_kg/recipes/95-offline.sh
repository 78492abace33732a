#+ title: "The same join without any server: a dump and your graph in one folder"
#+ title_zh: 同样的连接，无需任何服务器：导出文件与您的图谱放在同一目录
#+ needs: pip install oxigraph; medbench.nt from /data/
#+ needs_zh: pip install oxigraph；取自 /data/ 的 medbench.nt
cat > studies.ttl <<'END'
@prefix dcterms: <http://purl.org/dc/terms/> .
<https://hospital.example/study/1> dcterms:subject <http://dicom.nema.org/resources/ontology/DCM/US> .
<https://hospital.example/study/2> dcterms:subject <http://id.nlm.nih.gov/mesh/D008279> .
<https://hospital.example/study/3> dcterms:subject <http://www.wikidata.org/entity/Q32566> .
END
oxigraph load --location both --file medbench.nt --file studies.ttl
oxigraph query --location both --results-format csv --query '
  PREFIX dcterms: <http://purl.org/dc/terms/>
  PREFIX mb: <https://w3id.org/medbench-kg/ontology#>
  PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
  SELECT ?study (COUNT(DISTINCT ?dataset) AS ?benchmarks) {
    ?study dcterms:subject ?code .
    ?concept skos:exactMatch|skos:closeMatch ?code .
    ?dataset a mb:Benchmark ; mb:modality/skos:broader* ?concept .
  } GROUP BY ?study ORDER BY ?study'
