"""What does the report on a catalogue say? Every sentence in every language, in one table."""

from __future__ import annotations

from typing import Literal

from bespoke.pages.texts import Language, Line, Text, fill

TEXTS: dict[str, Text] = {
    # The verdict.
    "verdict.go": Text("Go", "学習できます"),
    "verdict.base": Text("Go, with a base model", "ベースモデルからなら学習できます"),
    "verdict.not_yet": Text("Not yet", "まだ学習できません"),
    "verdict_means.go": Text(
        "This catalogue can be trained on from scratch.", "このカタログだけで、ゼロから学習を始められます。"
    ),
    "verdict_means.base": Text(
        "Too few pictures to learn from scratch; start from a model that was trained on a similar, larger catalogue.",
        "ゼロから学習するには画像が足りません。似た大きなカタログで学習したモデルから始めてください。",
    ),
    "verdict_means.not_yet": Text(
        "Training would waste your time. What is missing is listed below.",
        "今学習しても時間の無駄になります。足りないものは次のとおりです。",
    ),
    # Reasons.
    "reason.too_few": Text(
        "Usable pictures: {usable}. At least {base} are needed even with a base model.",
        "使える画像は {usable} 枚です。ベースモデルを使う場合でも {base} 枚は必要です。",
    ),
    "reason.enough_with_base": Text(
        "Usable pictures: {usable}. Enough with a base model; from scratch it takes {scratch} or more.",
        "使える画像は {usable} 枚です。ベースモデルからなら足りますが、ゼロからの学習には {scratch} 枚以上が必要です。",
    ),
    "reason.enough": Text(
        "Usable pictures: {usable}. Enough to train from scratch ({scratch} or more).",
        "使える画像は {usable} 枚です。ゼロからの学習に足ります(目安は {scratch} 枚以上)。",
    ),
    "reason.unusable": Text(
        "Pictures that cannot be used: {count} ({share}).", "使えない画像が {count} 枚あります({share})。"
    ),
    "reason.repeats": Text(
        "Rows that name a picture again: {count}. Training takes one row a picture.",
        "同じ画像を指す行が {count} 行重なっています。学習では 1 枚につき 1 行だけを使います。",
    ),
    "reason.alike": Text(
        "Pictures without a caption of their own: {count} ({share}). A model cannot learn what tells them apart.",
        "説明文がほかの画像とまったく同じ画像が {count} 枚あります({share})。違いを学習できません。",
    ),
    "reason.captions_differ": Text(
        "The captions tell the pictures apart.", "説明文で画像どうしを区別できています。"
    ),
    "reason.copies": Text(
        "Copies: {duplicates} exact, {near} nearly exact. They add nothing and are easily learned by heart.",
        "重複した画像が {duplicates} 枚、ほぼ同じ画像が {near} 枚あります。学習の役に立たず、丸暗記の原因になります。",
    ),
    "reason.across": Text(
        "Pictures with a copy on the other side of the split: {count}. Measured quality would look better than it is.",
        "学習用と評価用にまたがる重複が {count} 枚あります。測った品質が実際より良く見えてしまいます。",
    ),
    "reason.rare_words": Text(
        "Words that fewer than three pictures have: {count} of {words}. They will hardly be learned.",
        "3 枚未満の画像にしか出てこない語が {words} 語のうち {count} 語あります。ほとんど学習されません。",
    ),
    "reason.unnamed": Text(
        "Pictures in the folder that the table does not name: {count}. They are not used.",
        "表に載っていない画像がフォルダーに {count} 枚あります。学習には使われません。",
    ),
    # What to add.
    "advice.train_from_base": Text(
        "Start from the model that comes with Bespoke, or put one of a similar, larger catalogue in its place: "
        "bespoke train CATALOGUE --from products --out RUN",
        "Bespoke 付属のモデルから始めてください(似た大きなカタログで学習したモデルがあれば products の代わりに): "
        "bespoke train CATALOGUE --from products --out RUN",
    ),
    "advice.mend": Text(
        "Pictures to replace or take out: {count}.",
        "{count} 枚の画像を差し替えるか、取り除いてください。",
    ),
    "advice.write_captions": Text(
        "Pictures that need a caption: {count}.", "説明文のない {count} 枚に説明文を付けてください。"
    ),
    "advice.add_for_base": Text(
        "Pictures with captions to add for training with a base model: {count}.",
        "説明文付きの画像をあと {count} 枚加えると、ベースモデルから学習できます。",
    ),
    "advice.add_for_scratch": Text(
        "Pictures with captions to add for training from scratch: {count}.",
        "説明文付きの画像をあと {count} 枚加えると、ゼロから学習できます。",
    ),
    "advice.tell_apart": Text(
        "Say in each caption what makes the picture different: kind, colour, pattern, material, view.",
        "種類・色・柄・素材・向きなど、その画像ならではの違いを説明文に書いてください。",
    ),
    "advice.fill_up": Text(
        "Add pictures of what has fewer than {few}: {values}.",
        "{few} 枚に満たないものの画像を増やしてください: {values}。",
    ),
    "advice.shorten": Text(
        "Put what matters first in long captions (pictures: {count}); their end may be cut off.",
        "長い説明文({count} 枚)は末尾が読まれないことがあります。大切なことを先に書いてください。",
    ),
    "advice.clean": Text(
        "--write FOLDER makes a copy of the catalogue without copies and unusable pictures.",
        "--write FOLDER を付けると、重複と使えない画像を除いたカタログを別のフォルダーに作ります。",
    ),
    "advice.part_splits": Text(
        "Keep one picture of each pair that stands on two sides of the split.",
        "学習用と評価用にまたがる組は、どちらか一方だけを残してください。",
    ),
    # Findings: a title, and what it means.
    "finding.missing": Text("Missing files", "見つからないファイル"),
    "means.missing": Text(
        "The table names them, the folder does not have them.",
        "表にはありますが、フォルダーにありません。",
    ),
    "finding.broken": Text("Broken pictures", "壊れた画像"),
    "means.broken": Text(
        "They cannot be decoded as JPEG, PNG or WebP.", "JPEG・PNG・WebP のいずれとしても読み込めません。"
    ),
    "finding.oversized": Text("Oversized pictures", "大きすぎる画像"),
    "means.oversized": Text(
        "Over 89 million pixels; they are refused. Make them smaller.",
        "8,900 万画素を超えるため読み込みません。縮小してください。",
    ),
    "finding.tiny": Text("Tiny pictures", "小さすぎる画像"),
    "means.tiny": Text(
        "A side is under 16 pixels; there is nothing to learn.",
        "一辺が 16 ピクセル未満で、学習できません。",
    ),
    "finding.no_caption": Text("Pictures without a caption", "説明文のない画像"),
    "means.no_caption": Text(
        "A picture without words teaches nothing about words.",
        "文章のない画像からは言葉を学べません。",
    ),
    "finding.again": Text("Rows that name a picture again", "同じ画像を指す行"),
    "means.again": Text(
        "Put all captions of a picture in one row, as a list under texts.",
        "1 枚の画像の説明文は、texts 列に一つのリストとしてまとめてください。",
    ),
    "finding.across": Text("Copies across splits", "学習用と評価用にまたがる重複"),
    "means.across": Text(
        "The same or nearly the same picture is for training and for judging.",
        "同じ、またはほぼ同じ画像が学習用と評価用の両方に入っています。",
    ),
    "finding.duplicates": Text("Duplicates", "重複した画像"),
    "means.duplicates": Text("Exactly the same at 64 pixels.", "64 ピクセルに縮小するとまったく同じです。"),
    "finding.near": Text("Near duplicates", "ほぼ同じ画像"),
    "means.near": Text(
        "The same but for compression, size or light, as far as coarse colours tell; look for yourself. Products "
        "shot alike on purpose, in several shades, want the same value in a column same_shot.",
        "圧縮・大きさ・明るさのほかは同じに見えます。大まかな色による判定なので、目で確かめてください。"
        "色違いの商品を同じ構図で撮ったものなら、same_shot 列に同じ値を入れてください。",
    ),
    "finding.same_captions": Text("The same caption on different pictures", "同じ説明文が付いた別々の画像"),
    "means.same_captions": Text(
        "None of their captions is theirs alone.", "どの説明文も、ほかの画像のものと同じです。"
    ),
    "finding.plain": Text("Pictures of one colour", "単色の画像"),
    "means.plain": Text("They show nothing.", "何も写っていません。"),
    "finding.small": Text("Small pictures", "小さい画像"),
    "means.small": Text(
        "The shorter side is under 64 pixels; they will look blurred.", "短辺が 64 ピクセル未満で、ぼやけて見えます。"
    ),
    "finding.short_captions": Text("Captions that say little", "内容の乏しい説明文"),
    "means.short_captions": Text("One word, or hardly more.", "ほぼ 1 語しかありません。"),
    "finding.long_captions": Text("Long captions", "長い説明文"),
    "means.long_captions": Text(
        "Over 24 words or 48 Japanese characters: the end may not be read.",
        "24 語、日本語では 48 字を超えています。末尾が読まれないことがあります。",
    ),
    "finding.cut_off": Text("Wide or tall pictures", "縦長・横長の画像"),
    "means.cut_off": Text(
        "A model sees the square in the middle; a third or more of these is lost. Shown as it will be seen.",
        "モデルは中央の正方形だけを見るため、3 分の 1 以上が失われます。見える範囲を示しています。",
    ),
    "finding.transparent": Text("Transparent pictures", "透明な部分のある画像"),
    "means.transparent": Text("They are put on white. Nothing to do.", "白い背景に重ねて使います。対応は不要です。"),
    "finding.unnamed": Text("Pictures that no row names", "表に載っていない画像"),
    "means.unnamed": Text(
        "They lie in the folder and are not used. Add a row for each, or leave them where they are.",
        "フォルダーにありますが、使われません。使う場合は表に行を加えてください。",
    ),
    "level.stop": Text("stops training", "学習が止まります"),
    "level.warn": Text("look at this", "要確認"),
    "level.note": Text("for your information", "参考"),
    # Headings and labels.
    "title": Text("Catalogue check", "カタログ診断"),
    "reasons": Text("Why", "理由"),
    "advice": Text("What to do", "すること"),
    "nothing_to_do": Text("Nothing. You can start training.", "特にありません。学習を始められます。"),
    "samples": Text("What a model would see", "モデルから見えるカタログ"),
    "samples_note": Text(
        "Pictures from the whole catalogue, cut to the square in the middle, with their first captions.",
        "カタログ全体から選んだ画像です。中央の正方形を切り出し、最初の説明文を添えています。",
    ),
    "findings": Text("What was found", "見つかったこと"),
    "no_findings": Text("Nothing is wrong with the pictures.", "画像に問題は見つかりませんでした。"),
    "not_shown": Text(
        "{count} in all; report.json names up to {most} of them.",
        "全 {count} 件です。report.json に最大 {most} 件の名前があります。",
    ),
    "captions": Text("Captions", "説明文"),
    "attributes": Text("Attributes", "属性"),
    "attributes_note": Text(
        "Pictures of each value. Below {few}, in orange, is hardly learned.",
        "値ごとの枚数です。{few} 枚未満(橙色)はほとんど学習されません。",
    ),
    "no_attributes": Text(
        "The table has no further columns that sort pictures into kinds, such as color or type.",
        "色や種類など、画像を分類できる列が表にありません。",
    ),
    "uncounted": Text(
        "Different on nearly every picture, so not counted: {names}.",
        "ほぼすべての画像で異なるため数えていません: {names}。",
    ),
    "without": Text("without", "なし"),
    "more_values": Text("and {count} more", "ほか {count} 種類"),
    "rows": Text("rows", "行"),
    "usable": Text("usable pictures", "使える画像"),
    "num_captions": Text("captions", "説明文"),
    "different": Text("different captions", "異なる説明文"),
    "words": Text("different words", "異なり語"),
    "shorter_side": Text("shorter side, px", "短辺 (px)"),
    "language": Text("Script", "文字"),
    "language.japanese": Text("Japanese", "日本語"),
    "language.latin": Text("Latin letters", "ラテン文字"),
    "language.other": Text("Other", "その他"),
    "languages_note": Text(
        "Told by script: Chinese counts as Japanese, German as Latin. Lengths: letters of Japanese, words of others.",
        "文字の種類による判定です。中国語は日本語に、ドイツ語はラテン文字に数えます。長さは日本語では字数、ほかは語数です。",
    ),
    "share": Text("Captions", "件数"),
    "least": Text("Shortest", "最短"),
    "median": Text("Median", "中央値"),
    "most": Text("Longest", "最長"),
    "rare_words": Text("Words that fewer than three pictures have", "3 枚未満の画像にしか出てこない語"),
    "rare_words_note": Text(
        "Japanese has no spaces, so runs of one script stand for words. A misspelling often shows here.",
        "日本語は空白で区切られないため、同じ種類の文字の並びを 1 語とみなします。誤字もここに現れます。",
    ),
    "more_words": Text("and {count} more", "ほか {count} 語"),
    "left_out": Text("Noticed while reading", "読み込み時に気づいたこと"),
    "left_out.rows above the names of the columns": Text(
        "Rows above the names of the columns: {count} (first: {first}).",
        "列名より上にある行: {count} 行(最初は {first})。",
    ),
    "left_out.rows that name no picture": Text(
        "Rows that name no picture: {count} (first: {first}).", "画像の指定がない行: {count} 行(最初は {first})。"
    ),
    "left_out.further pictures of a product that are not read": Text(
        "Further pictures of a product that are not read: {count} (first: {first}). The first of each is; to use "
        "another, give it a row and a caption of its own.",
        "商品の 2 枚目以降の画像: {count} 枚(最初は {first})。読むのは 1 枚目だけです。ほかの画像も使う場合は、"
        "1 枚につき 1 行を設け、それぞれに説明文を書いてください。",
    ),
    "left_out.sheets that are not read": Text(
        "Sheets that are not read: {count} (first: {first}). The first one with columns of pictures and captions is; "
        "put all rows into it.",
        "読み込まないシート: {count} 枚(最初は {first})。画像と説明文の列がある最初のシートだけを読むので、"
        "使う行はそこにまとめてください。",
    ),
    "left_out.hidden rows that are read": Text(
        "Hidden rows: {count} (first: {first}). They are read like any other; delete what should not be.",
        "非表示の行: {count} 行(最初は {first})。ほかの行と同じように読み込みます。使わない行は削除してください。",
    ),
    "left_out.tables that are not read": Text(
        "Tables that are not read: {count} (first: {first}). One is, where it is called metadata.",
        "読み込まない表: {count} 個(最初は {first})。読むのは metadata という名前の表 1 個だけです。",
    ),
    "left_out.pictures of a kind that is not read": Text(
        "Pictures of a kind that is not read: {count} (first: {first}). Save them as JPEG or PNG.",
        "対応していない形式の画像: {count} 枚(最初は {first})。JPEG か PNG で保存し直してください。",
    ),
    "left_out.caption files without a picture": Text(
        "Caption files without a picture: {count} (first: {first}).",
        "画像のない説明文ファイル: {count} 個(最初は {first})。",
    ),
    "left_out.captions of missing pictures": Text(
        "Captions of missing pictures: {count} (first: {first}).",
        "画像が見つからない説明文: {count} 件(最初は {first})。"
    ),
    "left_out.classes in neither class list": Text(
        "Classes in neither class list: {count} (first: {first}).",
        "クラス一覧のどちらにもないクラス: {count} 個(最初は {first})。",
    ),
    "left_out.missing annotation files": Text(
        "Missing annotation files: {count} (first: {first}).",
        "見つからないアノテーション: {count} 個(最初は {first})。",
    ),
    "left_out.pictures of classes in neither class list": Text(
        "Pictures of classes in neither class list: {count} (first: {first}).",
        "クラス一覧のどちらにもないクラスの画像: {count} 枚(最初は {first})。",
    ),
    "left_out.pictures without a caption file": Text(
        "Pictures without a caption file: {count} (first: {first}).",
        "説明文ファイルのない画像: {count} 枚(最初は {first})。",
    ),
    "left_out.samples without a picture": Text(
        "Samples without a picture: {count} (first: {first}).", "画像のないサンプル: {count} 件(最初は {first})。"
    ),
    "read_as": Text("Read as", "読み込み方"),
    "columns_read": Text("picture: {file}; caption: {text}", "画像の列: {file}、説明文の列: {text}"),
    "split": Text("Split", "分割"),
    "split_counts": Text(
        "{train} for training, {validation} for validation, {test} for testing",
        "学習用 {train} 枚、検証用 {validation} 枚、評価用 {test} 枚",
    ),
    "limits": Text(
        "{base} and {scratch} pictures are rules of thumb. Whether captions are true of the pictures was not checked.",
        "{base} 枚・{scratch} 枚という数は目安です。説明文が画像の内容と合っているかどうかは調べていません。",
    ),
    # On the screen.
    "screen.report": Text("Report: {path}", "レポート: {path}"),
    "screen.written": Text("Cleaned catalogue: {count} pictures in {path}", "整えたカタログ: {path}({count} 枚)"),
}  # fmt: skip


def say(key: str, language: Language, **values: int | str) -> str:
    """A text of the table, filled in; numbers get separators."""
    return fill(TEXTS[key], language, **values)


def left_out(found: tuple[str, int, str], language: Language) -> str:
    """What a reader passed over, in words: kind (as Problems counts it), how many, the first."""
    kind, count, first = found
    return say(f"left_out.{kind}", language, count=count, first=first)


def sentence(part: Literal["reason", "advice"], line: Line, language: Language) -> str:
    """A line of the verdict in words."""
    return say(f"{part}.{line.key}", language, **line.values)
