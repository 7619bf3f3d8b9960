package import RingCore

/// Predicts how long a collective takes by each algorithm, on a machine and network of known costs.
///
/// ``predicted(_:_:)`` is a formula, for choosing at run time; ``simulated(_:_:)`` runs the plans of all ranks
/// against the clock, and is what the formula is held against.
package struct CostModel: Sendable, Hashable {
    /// What messages and work cost.
    package var parameters: CostParameters

    /// Creates a model.
    package init(_ parameters: CostParameters = .standard) {
        self.parameters = parameters
    }

    /// The seconds that an algorithm takes, by the formula; nil for an algorithm without an outline.
    package func predicted(_ algorithm: String, _ query: CostQuery) -> Double? {
        AlgorithmOutline.outline(algorithm, query).map {
            OutlineCost($0, parameters, query.topology).seconds
        }
    }

    /// The seconds that an algorithm takes, by running the plans of all ranks.
    ///
    /// - Throws: `invalidArgument` for an algorithm or a request that there is no plan for.
    package func simulated(_ algorithm: String, _ query: CostQuery) throws(CollectiveError) -> Double {
        do {
            return try TimingSimulation.time(
                parameters, topology: query.topology, elementSize: query.elementSize
            ) { rank in try Planners.plan(query.planRequest(rank: rank), algorithm: algorithm) }
        } catch {
            throw error as? CollectiveError ?? CollectiveError(.invalidArgument, "\(error)")
        }
    }
}
