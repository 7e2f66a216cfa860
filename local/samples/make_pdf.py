"""Makes kestrel-40-handbook.pdf, the demo's PDF: `python -m local.samples.make_pdf`. The turbine is invented."""

# ruff: noqa: E501

from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Spacer

PAGES = [
    (
        "Kestrel 40 wind turbine: owner's handbook",
        [
            ("What it is", "The Kestrel 40 is a small wind turbine for farms and villages. Its rotor has three blades and"
             " a diameter of 13.2 metres; the hub stands 24 metres above the ground. It delivers 40 kilowatts at a wind"
             " speed of 11 metres per second and about 92,000 kilowatt-hours in an average year."),
            ("When it turns", "The turbine starts by itself at a wind speed of 3.5 metres per second. Above 25 metres per"
             " second it turns its blades out of the wind and stops; it starts again when the wind has stayed below 20"
             " metres per second for ten minutes."),
            ("Noise", "At a distance of 60 metres the turbine is as loud as a conversation, 45 decibels. Houses must be at"
             " least 150 metres away."),
        ],
    ),
    (
        "Maintenance",
        [
            ("Every six months", "Grease the pitch bearings with 120 grams of lithium grease for each blade. Check the"
             " torque of the 24 tower bolts: 310 newton metres. Look at the blade tips for cracks."),
            ("Every year", "Change the gearbox oil: 14 litres of synthetic oil, grade ISO VG 320. Test the emergency brake"
             " at a low wind speed; the rotor must stand still within eight seconds."),
            ("Every ten years", "Replace the yaw motor and the batteries of the lightning counter. Let a certified"
             " inspector examine the welds of the tower."),
        ],
    ),
    (
        "When something is wrong",
        [
            ("The red lamp blinks twice", "The generator is too hot, above 140 degrees Celsius. The turbine has stopped"
             " and will start again below 90 degrees. If it happens twice a day, clean the cooling fins."),
            ("The red lamp blinks five times", "The grid voltage was outside its limits. Nothing needs to be done; call"
             " your network operator if it happens every week."),
            ("Emergency stop", "Press the red button at the foot of the tower. Only a trained person may release it, with"
             " the key number 7 that hangs in the control cabinet. The service line is open day and night."),
        ],
    ),
]  # fmt: skip


def make(target: Path) -> None:
    """Write the handbook, one chapter a page."""
    styles = getSampleStyleSheet()
    story: list[Flowable] = []
    for title, sections in PAGES:
        story += [PageBreak()] if story else []
        story += [Paragraph(title, styles["Title"]), Spacer(1, 12)]
        for heading, text in sections:
            story += [Paragraph(heading, styles["Heading2"]), Paragraph(text, styles["BodyText"]), Spacer(1, 10)]
    SimpleDocTemplate(str(target), pagesize=A4, title="Kestrel 40 owner's handbook", invariant=1).build(story)


if __name__ == "__main__":
    make(Path(__file__).with_name("kestrel-40-handbook.pdf"))
