/// Puts a rank before each line of its output, and lets out whole lines only.
///
/// A line longer than the limit comes out as several, so that no rank can make the launcher hold more.
struct LinePrefixer {
    private let prefix: [UInt8]
    private let limit: Int
    private var partial: [UInt8] = []

    init(rank: Int, limit: Int = 65_536) {
        prefix = Array("[\(rank)] ".utf8)
        self.limit = limit
    }

    /// Takes what a rank wrote, and appends the lines that are whole now.
    mutating func take(_ bytes: some Collection<UInt8>, into output: inout [UInt8]) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            hold(rest[..<end], &output)
            emit(&output)
            rest = rest[rest.index(after: end)...]
        }
        hold(rest, &output)
    }

    /// Lets out what no line end followed.
    mutating func finish(into output: inout [UInt8]) {
        if !partial.isEmpty { emit(&output) }
    }

    private mutating func hold(_ bytes: some Collection<UInt8>, _ output: inout [UInt8]) {
        var rest = bytes[...]
        while partial.count + rest.count > limit {
            let room = limit - partial.count
            partial += rest.prefix(room)
            rest = rest.dropFirst(room)
            emit(&output)
        }
        partial += rest
    }

    private mutating func emit(_ output: inout [UInt8]) {
        output += prefix
        output += partial
        output.append(UInt8(ascii: "\n"))
        partial.removeAll(keepingCapacity: true)
    }
}
