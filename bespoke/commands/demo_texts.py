"""What does the page of the demo say? Every sentence in every language, in one table."""

from __future__ import annotations

from bespoke.pages.texts import Language, Text, fill

TEXTS: dict[str, Text] = {
    "kicker": Text("Bespoke demo", "Bespoke デモ"),
    "title": Text(
        "A new product line, learned from 300 pictures",
        "300 枚の画像から、新しい商品を描けるモデルへ",
    ),
    "result": Text(
        "{both} of {count} pictures show a teddy bear in the color that the text asks for",
        "{count} 枚中 {both} 枚が、指示どおりの色のテディベアになりました",
    ),
    "beside": Text(
        "Before, the model had never seen a teddy bear: {before} of {count}. Real pictures of the line, measured in "
        "the same way: {real} of {count}.",
        "学習前のモデルはテディベアを見たことがなく、{count} 枚中 {before} 枚でした。"
        "同じ方法で実物の画像を測ると {count} 枚中 {real} 枚です。",
    ),
    "means.good": Text(
        "Good enough to try out ideas with. The pictures are small and soft; more pictures and more time make them "
        "better.",
        "アイデアを試すには十分な出来です。画像は小さく、輪郭もまだ柔らかめですが、画像と時間を増やせば良くなります。",
    ),
    "means.fair": Text(
        "The line is recognisable, but too many pictures miss the text. Longer training helps: try --minutes {longer}.",
        "商品らしさは出ていますが、指示と違う画像がまだ目立ちます。"
        "学習時間を延ばしてみてください(--minutes {longer} など)。",
    ),
    "means.poor": Text(
        "This was too short to learn the line. Train longer: try --minutes {longer}.",
        "学習時間が短すぎました。もっと長く学習してみてください(--minutes {longer} など)。",
    ),
    "means.pace": Text(
        "In that time this computer went through {shown} pictures, the same ones many times over; it takes some "
        "{enough}.",
        "このコンピューターが学習中に見せた画像は、繰り返しを含めて延べ {shown} 枚でした。目安は {enough} 枚ほどです。",
    ),
    "minutes": Text("{minutes} min", "{minutes} 分"),
    "tile.pictures": Text("pictures with captions", "説明文つきの画像"),
    "tile.trained": Text("of training on this computer", "このコンピューターでの学習"),
    "tile.shown": Text("shown in training, the same ones many times", "学習で見せた延べ枚数"),
    "tile.in_all": Text("for everything on this page", "このページができるまでの全体"),
    # Before and after.
    "cases": Text("Before and after", "学習前と学習後"),
    "cases_note": Text(
        "The same text and the same random numbers, before and after. None of these texts was in the training pictures."
        " On the right, for comparison, a real picture that fits the text.",
        "学習前後で、同じ文章と同じ乱数から描いています。どの文章も学習には使っていません。"
        "右は、同じ文章に合う実物の画像です。",
    ),
    "case.before": Text("before", "学習前"),
    "case.after": Text("after", "学習後"),
    "case.real": Text("real picture", "実物の画像"),
    # Numbers.
    "numbers": Text("How often is it right?", "どのくらい指示どおりか"),
    "numbers_note": Text(
        "{count} new texts, one picture each, with nothing picked out by hand. So many show what the text asks for:",
        "新しい文章 {count} 件から 1 枚ずつ描き、選別はしていません。指示どおりだった枚数は次のとおりです。",
    ),
    "number.kind": Text("A teddy bear", "テディベアになった"),
    "number.color": Text("In the right color", "色が指示どおり"),
    "number.both": Text("Both", "両方とも正しい"),
    "numbers_how": Text(
        "Read by a program, not by a person: the kind from the outline, compared with drawings of 17 kinds of "
        "products; the color from most of the pixels. It misreads some real pictures, too. It does not judge faces, "
        "patterns or beauty: look at the pictures yourself.",
        "判定はプログラムが行います。種類は輪郭を 17 種類の商品の絵と比べ、色は最も多い画素から読み取ります。"
        "実物の画像でも読み違えることがあります。顔や模様、美しさは判定しないので、画像をご自分の目でご覧ください。",
    ),
    # The data.
    "data": Text("What it learned from", "学習に使った画像"),
    "data_note": Text(
        "bespoke check looked at the folder before any training. These pictures were drawn by a program, so that "
        "everything about them is known; yours will be photos.",
        "学習の前に bespoke check がフォルダーを調べました。"
        "すべての正解がわかるよう、画像はプログラムで描いたものです。実際にはお手元の商品写真を使います。",
    ),
    # Limits.
    "limits": Text("What it will not do", "できないこと"),
    "limit.size": Text(
        "Large pictures: these have 64 x 64 pixels. They are for choosing a direction, not for print.",
        "大きな画像: ここでの画像は 64 x 64 画素です。方向性を選ぶためのもので、印刷には使えません。",
    ),
    "limit.letters": Text("Logos, lettering and brand marks.", "ロゴ、文字、ブランドマークは描けません。"),
    "limit.identity": Text(
        "One exact product: it draws new ones of the kind, never the very article on your shelf.",
        "特定の一点: 同じ種類の新しい商品を描くもので、棚にある現物そのものは再現できません。",
    ),
    "limit.details": Text(
        "Fine detail and exact patterns: eyes, seams and stripes come out blurred after a few minutes.",
        "細部や正確な模様: 数分の学習では、目や縫い目、縞模様はぼやけます。",
    ),
    "limit.unseen": Text(
        "What neither the base nor your pictures have shown. Words that it has never seen are named as you type them.",
        "ベースモデルにもお手元の画像にもないもの。学習していない言葉は、指示したときに名前を挙げてお知らせします。",
    ),
    "limit.drawn": Text(
        "Photos are harder than these drawings: expect to need more pictures and an hour or more of training.",
        "写真はこの絵より難しいため、もっと多くの画像と 1 時間以上の学習が必要になると考えてください。",
    ),
    # One's own folder.
    "own": Text("With your own folder", "自分のフォルダーで試す"),
    "own_note": Text(
        "From 100 pictures on, with a caption each; your folder is only read, never changed.",
        "説明文つきの画像 100 枚から始められます。フォルダーは読み取るだけで、変更しません。",
    ),
    "own.folder": Text(
        "1. Put the pictures into a folder, with a table metadata.csv or metadata.xlsx beside them:",
        "1. 画像をフォルダーに入れ、metadata.csv または metadata.xlsx という表を添えます。",
    ),
    "own.table": Text(
        "file_name,text\n0001.jpg,a blue mug with a white handle\n0002.jpg,a small red teapot",
        "file_name,text\n0001.jpg,持ち手が白い青のマグカップ\n0002.jpg,赤い小さなティーポット",
    ),
    "own.check": Text(
        "2. Ask whether it can work, and what is missing:", "2. 学習できるか、何が足りないかを調べます。"
    ),
    "own.train": Text("3. Train, from the model that comes with Bespoke:", "3. 付属のモデルを出発点にして学習します。"),
    "own.generate": Text("4. Draw:", "4. 画像を描きます。"),
    "own.evaluate": Text("5. Measure it before you show it to anyone:", "5. 人に見せる前に、出来を測ります。"),
    "own.again": Text("Or go on with the model of this demo:", "このデモのモデルで、続けて描くこともできます。"),
    "example": Text("a small blue mug", "青い小さなマグカップ"),
    "again_example": Text("a large purple teddy bear with a yellow muzzle", "口元が黄色の大きな紫のテディベア"),
    "footer": Text("The model is in {run}.", "モデルは {run} にあります。"),
    # The screen.
    "screen.result": Text(
        "{both} of {count} pictures show a teddy bear in the color asked for; before {before}, real pictures {real}.",
        "{count} 枚中 {both} 枚が指示どおりの色のテディベアです(学習前 {before} 枚、実物の画像 {real} 枚)。",
    ),
    "screen.page": Text("The whole story: {path}", "経過と結果のページ: {path}"),
}


def say(key: str, language: Language, /, **values: int | str) -> str:
    """A sentence, filled in."""
    return fill(TEXTS[key], language, **values)
