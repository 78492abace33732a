#+ title: "R: tables as data frames"
#+ title_zh: R：将表格读作数据框
#+ needs: R, no package
#+ needs_zh: R（无须其他软件包）
server <- "http://127.0.0.1:8000"
sizes <- read.csv(paste0(server, "/data/sizes.csv"))
ct <- read.csv(paste0(server, "/query/find?modality=ct&format=csv"))
cat(nrow(sizes), nrow(ct), "\n")
print(table(sizes$unit_en))
