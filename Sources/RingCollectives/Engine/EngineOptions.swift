/// How the engine moves bytes and waits.
struct EngineOptions: Sendable {
    /// Independent sets of links, each with its own thread.
    var channels = 1
    /// Operations smaller than this, in bytes a channel, use fewer channels.
    var bytesPerChannel = 1 << 20
    /// Segments are a multiple of so many bytes: whole elements of every type.
    static let segmentUnit = 64
    /// The longest frame, in bytes, a multiple of ``segmentUnit``. Shorter frames notice mismatches earlier, longer ones cost fewer headers.
    var segmentSize = 4 << 20
    /// The most that is sent or received in one go before the other direction has its turn.
    var pieceSize = 256 << 10
    /// The most bytes of messages that are kept until somebody asks for them.
    var unexpectedBytes = 64 << 20
    /// For how long a thread that could not move a byte tries again before it sleeps.
    var spinNanoseconds: UInt64 = 50_000
    /// And for how long at most where that turns out to be better than to sleep.
    var farthestSpinNanoseconds: UInt64 = 1_000_000
    /// Whether a thread that spins offers its processor to others in between: where ranks outnumber processors, whoever
    /// keeps one to himself keeps a peer from the work that he waits for.
    var yields = false
    /// For how long it tries then: each of the others has its turn in that time, and to be woken takes longer.
    static let yieldingNanoseconds: UInt64 = 400_000
}
