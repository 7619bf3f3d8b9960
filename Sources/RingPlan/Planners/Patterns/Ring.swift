package import RingCore

/// A ring through all ranks, as one of them sees it: from rank r to r + 1, or, backwards, to r - 1.
///
/// It has a chunk a rank: that of rank r is `firstChunk + r`.
package struct Ring {
    private let rank: Rank
    private let worldSize: Int
    private let firstChunk: Int
    private let isBackward: Bool

    /// The ring through the ranks of a request.
    package init(_ request: PlanRequest, firstChunk: Int = 0, isBackward: Bool = false) {
        rank = request.rank
        worldSize = request.worldSize
        self.firstChunk = firstChunk
        self.isBackward = isBackward
    }

    /// The rank that this one sends to.
    package var next: Rank { rank(behind: -1) }

    /// The rank that this one receives from.
    package var previous: Rank { rank(behind: 1) }

    /// The chunk of the rank that is so many places behind this one: up to twice around.
    package func chunk(behind distance: Int) -> Int { firstChunk + rank(behind: distance) }

    private func rank(behind distance: Int) -> Rank {
        (rank + 2 * worldSize + (isBackward ? distance : -distance)) % worldSize
    }
}
