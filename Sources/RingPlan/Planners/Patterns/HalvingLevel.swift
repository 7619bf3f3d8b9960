package import RingCore

/// One level of halving, as one of the ranks sees it: a group of ranks splits in two, and each half takes over half
/// of the chunks.
///
/// The ranks of the halves are paired, and each pair exchanges what the other half takes over. A group of an odd
/// number of ranks has one more in its lower half, which is without a partner; what the upper half takes over it
/// hands to several ranks there, a piece to each, so that none of them gets much more than the others.
package struct HalvingLevel {
    /// The chunks that this rank's half takes over: those of its ranks.
    package private(set) var kept: Range<Int>
    /// The chunks that the other half takes over.
    package private(set) var given: Range<Int>
    /// The rank of the other half that this one exchanges with, if it has one.
    package private(set) var partner: Rank?
    /// To a rank without a partner: who gets which piece of `given`.
    package private(set) var pieces: [(taker: Rank, chunks: Range<Int>)] = []
    /// To the taker of a piece: who it is from, and which it is.
    package private(set) var taken: (giver: Rank, chunks: Range<Int>)?

    /// Pieces are at least this many elements, for each is a message.
    static let smallestPiece = 4_096

    /// The levels that a rank takes part in, from all ranks down to itself.
    package static func levels(of rank: Rank, among worldSize: Int, chunks: Chunks) -> [HalvingLevel] {
        var levels: [HalvingLevel] = []
        var group = 0..<worldSize
        while group.count > 1 {
            let level = HalvingLevel(of: rank, in: group, chunks: chunks)
            levels.append(level)
            group = level.kept
        }
        return levels
    }

    private init(of rank: Rank, in group: Range<Rank>, chunks: Chunks) {
        let middle = group.lowerBound + (group.count + 1) / 2
        let (lower, upper) = (group.lowerBound..<middle, middle..<group.upperBound)
        let isLower = rank < middle
        (kept, given) = isLower ? (lower, upper) : (upper, lower)
        let place = rank - kept.lowerBound
        if place < given.count { partner = given.lowerBound + place }
        guard lower.count > upper.count, partner == nil || !isLower else { return }
        // One piece at least; not more than there are ranks to take them.
        let elements = chunks.elements(of: upper).count
        let split = Partition(
            count: upper.count, parts: max(1, min(upper.count, elements / Self.smallestPiece)))
        for part in 0..<split.parts {
            let taker = upper.lowerBound + part
            let piece = upper.lowerBound + split[part].lowerBound..<upper.lowerBound + split[part].upperBound
            if isLower {
                pieces.append((taker, piece))
            } else if taker == rank {
                taken = (middle - 1, piece)
            }
        }
    }
}
