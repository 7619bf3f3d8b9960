package import RingCore

/// A collective whose time is asked for: all that tells one call of it from another, as far as every rank
/// knows it.
package struct CostQuery: Sendable, Hashable {
    /// The collective.
    package var collective: Collective
    /// The elements of the whole collective; see ``Plan/elementCount``.
    package var elementCount: Int
    /// The bytes of one element.
    package var elementSize: Int
    /// Whether the output holds this rank's contribution.
    package var isInPlace: Bool
    /// The ranks.
    package var topology: RankTopology

    /// Creates a query.
    package init(
        _ collective: Collective, elementCount: Int, elementSize: Int, isInPlace: Bool = true,
        topology: RankTopology
    ) {
        self.collective = collective
        self.elementCount = elementCount
        self.elementSize = elementSize
        self.isInPlace = isInPlace
        self.topology = topology
    }

    /// The bytes of the whole collective.
    package var byteCount: Int { elementCount * elementSize }

    /// The request for one rank's plan. The root, where there is one, is rank 0, which the time does not
    /// depend on within a host.
    package func planRequest(rank: Rank) -> PlanRequest {
        PlanRequest(
            collective, worldSize: topology.worldSize, rank: rank, elementCount: elementCount, root: 0,
            isInPlace: isInPlace)
    }
}
