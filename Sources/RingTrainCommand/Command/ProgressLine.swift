/// The line that shows, on a terminal, how far an epoch has come.
enum ProgressLine {
    /// The line's text, at most `width` characters: epoch, bar, share done and, where there is room, speed.
    ///
    /// `fraction` is the share of the epoch's samples that are done, from 0 to 1.
    static func text(
        epoch: Int, epochs: Int, fraction: Double, samplesPerSecond: Double, width: Int
    ) -> String {
        let fraction = min(1, max(0, fraction))
        let head = "epoch \(padded(epoch, to: "\(epochs)".count))/\(epochs) "
        let percent = " \(padded(Int(fraction * 100), to: 3)) %"
        let speed = samplesPerSecond.isFinite ? "  \(Int(samplesPerSecond.rounded())) samples/s" : ""
        for tail in [percent + speed, percent] {
            let room = min(longestBar, width - head.count - tail.count - 2)
            guard room >= shortestBar else { continue }
            let done = Int((fraction * Double(room)).rounded(.down))
            let bar = String(repeating: "#", count: done) + String(repeating: ".", count: room - done)
            return head + "[" + bar + "]" + tail
        }
        return String((head + percent).prefix(max(0, width)))
    }

    private static let longestBar = 40
    private static let shortestBar = 8

    private static func padded(_ number: Int, to width: Int) -> String {
        let digits = "\(number)"
        return String(repeating: " ", count: max(0, width - digits.count)) + digits
    }
}
