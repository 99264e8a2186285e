#!/usr/bin/env python3
"""Draws the course of a pool's capacity as SVG text, from the lines that a test prints:

    build/test/cli_test --gtest_filter='RatioRig.is_held*' | bench/ratio/chart.py > docs/ratio.svg

A line is "course MINUTE ON_DEMAND SPOT WANTED WORDS", cores all three; where there are words, something happens.
"""
import sys

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 900, 300, 40, 70, 24


def read(lines):
    course, events = [], []
    for line in lines:
        parts = line.rstrip("\n").split(" ", 5)
        if parts[0] != "course":
            continue
        minute, on_demand, spot, wanted = (int(part) for part in parts[1:5])
        course.append((minute, on_demand, spot, wanted))
        if len(parts) > 5 and parts[5]:
            events.append((minute, parts[5]))
    return course, events


def draw(course, events):
    last = course[-1][0] + 1
    most = max(on_demand + spot for _, on_demand, spot, _ in course) * 1.05

    def x(minute):
        return LEFT + (WIDTH - LEFT - 10) * minute / last

    def y(cores):
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - cores / most)

    def steps(value):
        points = []
        for row in course:
            points += [f"{x(row[0]):.1f},{y(value(row)):.1f}", f"{x(row[0] + 1):.1f},{y(value(row)):.1f}"]
        return points

    def area(value, colour):
        points = [f"{x(0):.1f},{y(0):.1f}"] + steps(value) + [f"{x(last):.1f},{y(0):.1f}"]
        return f'<polygon fill="{colour}" points="{" ".join(points)}"/>'

    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
           f'font-size="11">')
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    yield area(lambda row: row[1] + row[2], "#f2b46b")
    yield area(lambda row: row[1], "#4878a8")
    yield f'<polyline fill="none" stroke="black" points="{" ".join(steps(lambda row: row[3]))}"/>'
    for cores in range(0, int(most) + 1, 100):
        yield f'<text x="4" y="{y(cores) + 4:.1f}">{cores}</text>'
    for hour in range(0, last // 60 + 1):
        yield f'<text x="{x(60 * hour):.1f}" y="{HEIGHT - 8}">{hour} h</text>'
    for row, (minute, words) in enumerate(events):
        level = 12 + 13 * (row % 4)
        yield f'<line x1="{x(minute):.1f}" x2="{x(minute):.1f}" y1="{level}" y2="{y(0):.1f}" stroke="#aaa"/>'
        anchor = "end" if x(minute) > 0.8 * WIDTH else "start"
        yield f'<text x="{x(minute) + (-3 if anchor == "end" else 3):.1f}" y="{level}" text-anchor="{anchor}">{words}</text>'
    yield "</svg>"


def main():
    course, events = read(sys.stdin)
    if not course:
        sys.exit("no line begins with \"course\": give this the output of the test")
    print("\n".join(draw(course, events)))


if __name__ == "__main__":
    main()
