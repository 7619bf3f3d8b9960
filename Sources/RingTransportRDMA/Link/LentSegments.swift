/// What has been sent from memory that is not this end's own, until nobody looks at it any more. No I/O.
struct LentSegments {
    private struct Segment {
        var byteCount: Int
        /// The slots that were taken, with this segment's.
        var end: UInt32
        var isOffer: Bool
    }

    private var segments: [Segment] = []
    private var first = 0
    /// How many of them are offers: each may bring a message when its slot is given back.
    private(set) var offerCount = 0

    /// How many offers may be open at once.
    static let mostOffers = 16

    var isEmpty: Bool { first == segments.count }

    /// Whether the first that is not settled waits for the peer, not for the device.
    var waitsForPeer: Bool { !isEmpty && segments[first].isOffer }

    mutating func append(byteCount: Int, end: UInt32, isOffer: Bool) {
        segments.append(Segment(byteCount: byteCount, end: end, isOffer: isOffer))
        if isOffer { offerCount += 1 }
    }

    /// Whether the first is settled, see ``settle(_:)``.
    func canSettle(_ window: SendWindow) -> Bool {
        guard !isEmpty else { return false }
        let segment = segments[first]
        return window.isBehind(segment.end, isOffer: segment.isOffer)
    }

    /// Forgets what is settled, from the first on: what has been written, and what the peer has fetched and given back. How
    /// many bytes.
    mutating func settle(_ window: SendWindow) -> Int {
        var byteCount = 0
        while canSettle(window) {
            byteCount += segments[first].byteCount
            if segments[first].isOffer { offerCount -= 1 }
            first += 1
        }
        if isEmpty {
            segments.removeAll(keepingCapacity: true)
            first = 0
        } else if first >= 256 {
            segments.removeFirst(first)
            first = 0
        }
        return byteCount
    }
}
