package import RingCore

/// What a plan is wanted for.
package struct PlanRequest: Sendable, Hashable {
    /// The collective to plan.
    package var collective: Collective
    /// How many ranks take part.
    package var worldSize: Int
    /// The rank whose plan is wanted.
    package var rank: Rank
    /// The elements of the whole collective; see ``Plan/elementCount``.
    package var elementCount: Int
    /// The root of a rooted collective; the others pay no heed to it.
    package var root: Rank?
    /// Whether the output holds this rank's contribution.
    package var isInPlace: Bool
    /// Into how many chunks an algorithm that is free to choose cuts the elements; nil leaves it to the
    /// algorithm.
    package var chunkCount: Int?

    /// Creates a request. Nothing is checked until it is planned.
    package init(
        _ collective: Collective, worldSize: Int, rank: Rank, elementCount: Int, root: Rank? = nil,
        isInPlace: Bool, chunkCount: Int? = nil
    ) {
        self.collective = collective
        self.worldSize = worldSize
        self.rank = rank
        self.elementCount = elementCount
        self.root = root
        self.isInPlace = isInPlace
        self.chunkCount = chunkCount
    }
}

extension PlanRequest {
    /// The most chunks that a request may ask for: each costs a step.
    package static let mostChunks = 65_536

    /// Checks that a plan for this request can exist.
    ///
    /// - Throws: `invalidArgument`, saying what is out of range and what the range is.
    package func validate() throws(CollectiveError) {
        guard worldSize >= 1, worldSize <= Plan.largestWorldSize else {
            throw invalid("the world size is \(worldSize); it must be 1 to \(Plan.largestWorldSize)")
        }
        guard rank >= 0, rank < worldSize else {
            throw invalid("there is no such rank among \(worldSize); use 0 to \(worldSize - 1)")
        }
        guard elementCount >= 0, elementCount <= Plan.largestCount else {
            throw invalid("the element count is \(elementCount); it must be 0 to \(Plan.largestCount)")
        }
        if collective == .barrier, elementCount != 0 {
            throw invalid("the element count is \(elementCount); it must be 0")
        }
        if collective == .broadcast {
            guard let root else { throw invalid("the root is missing; give one of 0 to \(worldSize - 1)") }
            guard root >= 0, root < worldSize else {
                throw invalid("the root is \(root); it must be 0 to \(worldSize - 1)")
            }
        }
        if let chunkCount, chunkCount < 1 || chunkCount > Self.mostChunks {
            throw invalid("the chunk count is \(chunkCount); it must be 1 to \(Self.mostChunks)")
        }
    }

    /// The split of the elements into a share a rank.
    package var shares: Partition { Partition(count: elementCount, parts: worldSize) }

    private func invalid(_ reason: String) -> CollectiveError {
        CollectiveError(.invalidArgument, "\(collective.name) on rank \(rank): \(reason)")
    }
}
