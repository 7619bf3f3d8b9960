import RingSystem

/// Memory of this end's own that offers are fetched to whose bytes cannot go straight to where they belong, or are wanted
/// for a moment only. Its places are used in turn.
struct LandingPlace: ~Copyable {
    private let region: MemoryRegion
    private var next = 0
    private var inUse = 0

    static let placeSize = 64 << 10
    static let placeCount = 8
    static let byteCount = placeSize * placeCount

    init(_ verbs: any Verbs, domain: VerbsHandle) throws(SystemError) {
        region = try MemoryRegion(
            verbs, domain: domain, byteCount: Self.byteCount, .local)
    }

    var localKey: UInt32 { region.registration.localKey }

    /// The next place, if it is free.
    mutating func take() -> UnsafeMutableRawPointer? {
        guard inUse < Self.placeCount else { return nil }
        defer { (next, inUse) = ((next + 1) % Self.placeCount, inUse + 1) }
        return region.memory.baseAddress! + next * Self.placeSize
    }

    /// The place that was taken last is not needed.
    mutating func putBack() { (next, inUse) = ((next + Self.placeCount - 1) % Self.placeCount, inUse - 1) }

    /// The place that was taken first is free again.
    mutating func give() { inUse -= 1 }
}

/// A read of what the peer has offered.
struct OfferedRead {
    /// Its request's number.
    var number: UInt64
    /// Where the bytes go.
    var target: UnsafeMutableRawPointer
    var byteCount: Int
    /// Whether that is a landing place, and not where they belong.
    var isLanding: Bool
    var isDone = false
    /// How many have been taken.
    var taken = 0

    /// The bytes that have come and have not been taken.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: target + taken, count: byteCount - taken)
    }
}
