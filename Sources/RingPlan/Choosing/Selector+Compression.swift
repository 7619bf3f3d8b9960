package import RingCore

extension Selector {
    /// Chooses as ``choose(_:among:)`` does, for a call whose elements are compressed.
    ///
    /// As many bytes count as are left. Lossy compression leaves out what would give ranks different results; and int4, of
    /// which every hop loses much, goes the way that encodes each contribution once, where that does not cost much.
    package func choose(_ query: CostQuery, among names: [String], compression: Compression) -> Choice {
        let fit = names.filter { compression.isLossless || Self.keepsResultsAlike($0, query.collective) }
        var choice = choose(query.compressed(compression), among: fit)
        guard compression.method == .int4, choice.reason != .wanted,
            query.collective == .allReduce || query.collective == .reduceScatter,
            let direct = choice.candidates.first(where: { $0.algorithm == "direct" }),
            let own = direct.time, let best = choice.chosen.time, direct != choice.chosen,
            own <= Self.worthItsErrors * best
        else { return choice }
        choice.algorithm = direct.algorithm
        choice.reason = .leastError
        return choice
    }

    /// How many times as long as the fastest an algorithm may take that loses less.
    private static let worthItsErrors = 1.5

    /// Whether the ranks' results stay alike where what is sent is not what was there: not where two ranks complete the
    /// same element, each from its own sum.
    package static func keepsResultsAlike(_ algorithm: String, _ collective: Collective) -> Bool {
        !(collective == .allReduce && algorithm == "recursive-doubling")
    }
}

extension CostQuery {
    /// The query for as many elements as have the bytes, uncompressed, that these have compressed.
    package func compressed(_ compression: Compression) -> CostQuery {
        guard let perElement = compression.bytesPerElement else { return self }
        var query = self
        query.elementCount = Int(Double(elementCount) * perElement / Double(elementSize))
        return query
    }
}
