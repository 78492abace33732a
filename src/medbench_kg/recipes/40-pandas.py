#+ title: "pandas: tables as data frames"
#+ title_zh: pandas：将表格读作数据框
#+ needs: pip install pandas
import pandas as pd

server = "http://127.0.0.1:8000"
sizes = pd.read_csv(f"{server}/data/sizes.csv")
ct = pd.read_csv(f"{server}/query/find?modality=ct&format=csv")
print(len(sizes), len(ct))
print(sizes.groupby("unit_en").size())
