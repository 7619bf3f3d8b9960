import ArgumentParser
import RingCore

/// A time as people write it: `10us`, `1.5ms`, `2s`, `500ns`.
struct TimeSpan: ExpressibleByArgument, Equatable, Sendable {
    var seconds: Double

    init(seconds: Double) {
        self.seconds = seconds
    }

    init?(argument: String) {
        for (unit, factor) in [("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1)]
        where argument.hasSuffix(unit) {
            guard let number = Double(argument.dropLast(unit.count)), number.isFinite, number >= 0 else {
                return nil
            }
            seconds = number * factor
            return
        }
        return nil
    }

    var defaultValueDescription: String { "\(NumberText.fixed(seconds * 1e6, digits: 0))us" }
}

/// A network's speed as people write it: `25gbit`, `100mbit`, or `3GB` and `500MB` a second.
struct Bandwidth: ExpressibleByArgument, Equatable, Sendable {
    var bytesPerSecond: Double

    init(bytesPerSecond: Double) {
        self.bytesPerSecond = bytesPerSecond
    }

    init?(argument: String) {
        for (unit, factor) in [("gbit", 1e9 / 8), ("mbit", 1e6 / 8), ("GB", 1e9), ("MB", 1e6)]
        where argument.hasSuffix(unit) {
            guard let number = Double(argument.dropLast(unit.count)), number.isFinite, number > 0 else {
                return nil
            }
            bytesPerSecond = number * factor
            return
        }
        return nil
    }

    var defaultValueDescription: String { "\(NumberText.fixed(bytesPerSecond * 8 / 1e9, digits: 0))gbit" }
}

/// Numbers of ranks: `8`, `2,4,8`, or `2..4096`, which doubles.
struct RankList: ExpressibleByArgument, Equatable, Sendable {
    var counts: [Int]

    init(_ counts: [Int]) {
        self.counts = counts
    }

    init?(argument: String) {
        counts = []
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let range = Self.range(part, Int.init), range.lowerBound >= 1 else { return nil }
            counts += Self.sweep(range, factor: 2)
        }
    }

    var defaultValueDescription: String { counts.map(String.init).joined(separator: ",") }

    /// Reads `a` or `a..b`.
    fileprivate static func range(_ text: Substring, _ number: (String) -> Int?) -> ClosedRange<Int>? {
        guard let dots = text.firstRange(of: "..") else { return number(String(text)).map { $0...$0 } }
        guard let first = number(String(text[..<dots.lowerBound])),
            let last = number(String(text[dots.upperBound...])), first <= last
        else { return nil }
        return first...last
    }

    /// The first number, and each that is the one before times the factor, up to the last.
    fileprivate static func sweep(_ range: ClosedRange<Int>, factor: Int) -> [Int] {
        var numbers = [range.lowerBound]
        while let last = numbers.last, last > 0, last <= range.upperBound / factor {
            numbers.append(last * factor)
        }
        return numbers
    }
}

/// Sizes in bytes: `4M`, `1K,4M`, or `4..1G`, in which each is 16 times the one before.
struct SizeList: ExpressibleByArgument, Equatable, Sendable {
    var sizes: [Int]

    init(_ sizes: [Int]) {
        self.sizes = sizes
    }

    init?(argument: String) {
        sizes = []
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let range = RankList.range(part, { ByteSize($0)?.bytes }) else { return nil }
            sizes += RankList.sweep(range, factor: 16)
        }
    }

    var defaultValueDescription: String {
        sizes.map { ByteSize(bytes: $0).description }.joined(separator: ",")
    }
}
