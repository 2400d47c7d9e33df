"""An archive of works in Shift_JIS, with ruby, notes and accents, and a picture among them."""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

LEGEND = """-------------------------------------------------------
【テキスト中に現れる記号について】

《》：ルビ
（例）吾輩《わがはい》

｜：ルビの付く文字列の始まりを特定する記号
（例）一番｜獰悪《どうあく》

［＃］：入力者注　主に外字の説明や、傍点の位置の指定
（例）※［＃「虫＋車」、第3水準1-91-55］

〔〕：アクセント分解された欧文をかこむ
-------------------------------------------------------
"""
COLOPHON = """

底本：「作品集」見本書店
　　　1990（平成2）年1月1日初版発行
入力：見本太郎
校正：見本花子
2001年1月1日作成
青空文庫作成ファイル：
このファイルは、インターネットの図書館、青空文庫（http://www.aozora.gr.jp/）で作られました。
"""
BODY = "　吾輩《わがはい》は猫である。※［＃「虫＋車」、第3水準1-91-55］と〔cafe'〕で会う。［＃地付き］その{}\n"


def work(number: int, length: int = 30) -> bytes:
    text = (
        f"題名{number}\n著者名\n\n{LEGEND}\n" + "".join(BODY.format(line + number) for line in range(length)) + COLOPHON
    )
    return text.replace("\n", "\r\n").encode("cp932")


def sample(folder: Path) -> Path:
    path = folder / "sample.zip"
    with ZipFile(path, "w") as archive:
        for number in range(6):
            packing = ZIP_STORED if number == 2 else ZIP_DEFLATED
            archive.writestr(ZipInfo(f"{number}_ruby.txt"), work(number, 20 + number), packing)
        archive.writestr(ZipInfo("fig1.png"), b"\x89PNG\r\n\x1a\n", ZIP_STORED)
    return path
