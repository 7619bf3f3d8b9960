/// Numbers as reports write them.
enum NumberText {
    /// A number with so many digits after the point, at most nine.
    static func fixed(_ value: Double, digits: Int) -> String {
        precondition((0...9).contains(digits), "\(digits) digits")
        guard value.isFinite else { return "\(value)" }
        var power = 1.0
        for _ in 0..<digits { power *= 10 }
        let rounded = (value.magnitude * power).rounded()
        guard rounded < 9e15 else { return "\(value)" }
        let (whole, fraction) = Int(rounded).quotientAndRemainder(dividingBy: Int(power))
        let sign = value < 0 && rounded > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(whole)" }
        let text = "\(fraction)"
        return "\(sign)\(whole)." + String(repeating: "0", count: digits - text.count) + text
    }

    /// Microseconds with as many digits as mean something: fewer, the longer the time.
    static func microseconds(_ value: Double) -> String {
        fixed(value, digits: value < 1_000 ? 2 : value < 10_000 ? 1 : 0)
    }
}
