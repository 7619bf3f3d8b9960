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
    /// The size of each rank's share, or of each pair of ranks' block; nil for an even split. See
    /// ``Plan/counts``.
    package var counts: [Int]?
    /// Whether this rank knows only the counts of what it brings and gets itself, and has 0 for the rest (gather,
    /// scatter, all-to-all).
    package var hasOnlyOwnCounts: Bool
    /// The root of a rooted collective; the others pay no heed to it.
    package var root: Rank?
    /// Whether the output holds this rank's contribution.
    package var isInPlace: Bool
    /// Into how many chunks an algorithm that is free to choose cuts the elements; nil leaves it to the
    /// algorithm.
    package var chunkCount: Int?

    /// Creates a request. Nothing is checked until it is planned.
    package init(
        _ collective: Collective, worldSize: Int, rank: Rank, elementCount: Int, counts: [Int]? = nil,
        hasOnlyOwnCounts: Bool = false, root: Rank? = nil, isInPlace: Bool, chunkCount: Int? = nil
    ) {
        self.collective = collective
        self.worldSize = worldSize
        self.rank = rank
        self.elementCount = elementCount
        self.counts = counts
        self.hasOnlyOwnCounts = hasOnlyOwnCounts
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
        if collective.isRooted {
            guard let root else { throw invalid("the root is missing; give one of 0 to \(worldSize - 1)") }
            guard root >= 0, root < worldSize else {
                throw invalid("the root is \(root); it must be 0 to \(worldSize - 1)")
            }
        }
        if let fault = collective.fault(
            counts: counts, elementCount: elementCount, worldSize: worldSize, isInPlace: isInPlace)
        {
            throw invalid(fault)
        }
        if let chunkCount, chunkCount < 1 || chunkCount > Self.mostChunks {
            throw invalid("the chunk count is \(chunkCount); it must be 1 to \(Self.mostChunks)")
        }
    }

    /// Each rank's share of the elements, or, of an all-to-all, each pair of ranks' block.
    package var parts: Chunks {
        Chunks(partsOf: collective, worldSize: worldSize, elementCount: elementCount, counts: counts)
    }

    /// All elements as one chunk.
    package var whole: Chunks { Chunks(Partition(count: elementCount, parts: 1)) }

    /// The elements in so many chunks, or in fewer where there are not as many elements.
    package func even(_ count: Int) -> Chunks {
        Chunks(Partition(count: elementCount, parts: max(1, min(count, elementCount))))
    }

    /// Whether ranks may know different parts of the counts.
    ///
    /// It must not depend on ``hasOnlyOwnCounts``, for the ranks of one collective may differ in that.
    var countsMayBeOwn: Bool {
        guard counts != nil else { return false }
        switch collective {
        case .gather, .scatter, .allToAll: return true
        case .allReduce, .reduceScatter, .allGather, .broadcast, .reduce, .barrier, .sendReceive: return false
        }
    }

    /// What speaks against an algorithm in which ranks pass on what is others', and so must know how much that is.
    var objectionToOwnCounts: String? {
        hasOnlyOwnCounts ? "it takes counts only where every rank knows all of them" : nil
    }

    private func invalid(_ reason: String) -> CollectiveError {
        CollectiveError(.invalidArgument, "\(collective.name) on rank \(rank): \(reason)")
    }
}
