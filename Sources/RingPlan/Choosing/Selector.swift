import RingCore

/// Chooses the algorithm of a collective, from data: what the user wants, else what was measured, else what the
/// cost model predicts.
///
/// The choice depends on nothing but the selector and the query, so ranks with the same of both choose alike.
package struct Selector: Sendable {
    /// What predicts.
    package var model: CostModel
    /// What was measured.
    package var measured: MeasuredTimes
    /// What the user wants.
    package var overrides: AlgorithmOverrides

    /// Creates a selector; without arguments, one that knows the default costs only.
    package init(
        model: CostModel = CostModel(), measured: MeasuredTimes = MeasuredTimes(),
        overrides: AlgorithmOverrides = AlgorithmOverrides()
    ) {
        self.model = model
        self.measured = measured
        self.overrides = overrides
    }

    /// Chooses among the algorithms of these names, which must be those that can carry out the call, in the
    /// order in which they count as equals; at least one.
    ///
    /// Whether a rank works in place is its own affair, so the choice does not depend on it.
    package func choose(_ query: CostQuery, among names: [String]) -> Choice {
        precondition(!names.isEmpty, "a choice among no algorithms")
        var query = query
        query.isInPlace = true
        let times = measured.times(query)
        let candidates = names.map { name in
            Choice.Candidate(
                algorithm: name, predicted: model.predicted(name, query), measured: times[name])
        }
        if let wanted = overrides[query.collective], names.contains(wanted) {
            return Choice(algorithm: wanted, reason: .wanted, candidates: candidates)
        }
        if names.count == 1 { return Choice(algorithm: names[0], reason: .only, candidates: candidates) }
        if let best = Self.fastest(candidates, by: \.measured) {
            return Choice(algorithm: best, reason: .measured, candidates: candidates)
        }
        if let best = Self.fastest(candidates, by: \.predicted) {
            return Choice(algorithm: best, reason: .predicted, candidates: candidates)
        }
        return Choice(algorithm: names[0], reason: .first, candidates: candidates)
    }

    /// The first of the fastest candidates among those with a time.
    private static func fastest(
        _ candidates: [Choice.Candidate], by time: KeyPath<Choice.Candidate, Double?>
    ) -> String? {
        var best: (algorithm: String, seconds: Double)?
        for candidate in candidates {
            guard let seconds = candidate[keyPath: time] else { continue }
            if best.map({ seconds < $0.seconds }) ?? true { best = (candidate.algorithm, seconds) }
        }
        return best?.algorithm
    }
}

/// An algorithm, and why it was chosen.
package struct Choice: Sendable, Hashable {
    /// An algorithm that could carry out the call.
    package struct Candidate: Sendable, Hashable {
        /// Its name.
        package var algorithm: String
        /// The seconds that the cost model predicts, if it knows the algorithm.
        package var predicted: Double?
        /// The seconds that were measured, or that follow from what was.
        package var measured: Double?

        /// The time that counts.
        package var time: Double? { measured ?? predicted }
    }

    /// What decided.
    package enum Reason: String, Sendable, Hashable {
        /// The user wants it.
        case wanted
        /// It is the only algorithm that can carry out the call.
        case only
        /// Of those that were measured, it took least.
        case measured
        /// The cost model predicts the least time for it.
        case predicted
        /// Nothing is known of any; it is the first.
        case first
        /// It encodes each contribution once, and takes not much longer than the fastest.
        case leastError
    }

    /// The name of the algorithm.
    package var algorithm: String
    /// Why this one.
    package var reason: Reason
    /// All that there were to choose from, in their order.
    package var candidates: [Candidate]

    /// The candidate that was chosen.
    package var chosen: Candidate { candidates.first { $0.algorithm == algorithm }! }

    /// Why the winner won, in one sentence.
    package var explanation: String {
        switch reason {
        case .wanted: return "\(algorithm) was asked for"
        case .only: return "\(algorithm) is the only algorithm that can carry out this call"
        case .first: return "\(algorithm) comes first; nothing is known of any"
        case .leastError:
            let fastest = candidates.filter { $0.time != nil }.min { $0.time! < $1.time! }!
            let percent = Int(((chosen.time! / fastest.time! - 1) * 100).rounded())
            return
                "\(algorithm) encodes each contribution once, which costs least accuracy, and takes \(percent) % longer "
                + "than the fastest, \(fastest.algorithm)"
        case .measured: return explanation("was measured to be", \.measured)
        case .predicted: return explanation("is predicted to be", \.predicted)
        }
    }

    private func explanation(_ verb: String, _ time: KeyPath<Candidate, Double?>) -> String {
        let others = candidates.filter { $0.algorithm != algorithm && $0[keyPath: time] != nil }
        let second = others.min { $0[keyPath: time]! < $1[keyPath: time]! }
        guard let second, let own = chosen[keyPath: time], own > 0 else {
            return "\(algorithm) is the only one whose time is known"
        }
        let percent = Int(((second[keyPath: time]! / own - 1) * 100).rounded())
        return "\(algorithm) \(verb) the fastest; the next, \(second.algorithm), takes \(percent) % longer"
    }
}
