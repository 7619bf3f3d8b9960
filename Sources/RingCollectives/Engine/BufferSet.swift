import RingPlan

/// Some of an operation's buffers.
struct BufferSet: OptionSet {
    var rawValue: Int

    static let input = BufferSet(.input)
    static let output = BufferSet(.output)
    static let scratch = BufferSet(.scratch)

    init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// The set of one buffer.
    init(_ buffer: Buffer) {
        rawValue = 1 << buffer.rawValue
    }
}
