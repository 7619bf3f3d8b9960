/// The 32 bits that come with a write: what it was for, and room given back. `Docs/WireProtocol.md` has the layout.
enum ImmediateValue: Hashable {
    /// So many bytes at the ring's next slot, the last of which may be an offer; and so many slots given back.
    case data(byteCount: Int, credit: Int, hasOffer: Bool = false)
    /// Slots given back, and nothing written.
    case credit(Int)
    /// Nothing follows.
    case end

    /// The longest segment, in bytes.
    static let mostBytes = 1 << 22 - 1
    /// The most slots that a segment gives back along the way.
    static let mostCredit = 0xFF

    var rawValue: UInt32 {
        switch self {
        case .data(let byteCount, let credit, let hasOffer):
            UInt32(credit) << 23 | (hasOffer ? 1 << 22 : 0) | UInt32(byteCount)
        case .credit(let slots): 1 << 31 | UInt32(slots)
        case .end: 3 << 30
        }
    }

    init(rawValue: UInt32) {
        if rawValue >> 31 == 0 {
            self = .data(
                byteCount: Int(rawValue & 0x3F_FFFF), credit: Int(rawValue >> 23),
                hasOffer: rawValue & 1 << 22 != 0)
        } else if rawValue >> 30 == 2 {
            self = .credit(Int(rawValue & 0x3FFF_FFFF))
        } else {
            self = .end
        }
    }
}
