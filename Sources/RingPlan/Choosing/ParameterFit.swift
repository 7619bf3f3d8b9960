import RingCore

/// Finds the costs with which the model's predictions come nearest to measured times.
package enum ParameterFit {
    /// How far predictions are from what was measured.
    package struct Deviation: Sendable, Hashable {
        /// The median, over all rows, of the relative error.
        package var median: Double
        /// The largest.
        package var largest: Double

        /// Creates a deviation.
        package init(median: Double, largest: Double) {
            self.median = median
            self.largest = largest
        }
    }

    /// The parameters that fit these rows best, beginning at `start`, on hosts with so many processors.
    ///
    /// Each parameter that the rows can tell something of is scaled up and down, by ever smaller factors, as long
    /// as that brings predictions nearer. What is made small is the sum of the squares of the factors, less one,
    /// by which they are off.
    package static func fit(
        _ rows: [MeasuredTime], from start: CostParameters, processors: Int
    ) -> CostParameters {
        let rows = rows.filter {
            AlgorithmOutline.outline($0.algorithm, $0.query(processors: processors)) != nil
        }
        guard !rows.isEmpty else { return start }
        var best = start
        var least = loss(rows, best, processors)
        let fields = fields(for: rows, processors: processors)
        var factor = 2.0
        while factor > 1.01 {
            var isImproved = false
            for field in fields {
                for scale in [factor, 1 / factor] {
                    var changed = best
                    changed[keyPath: field] *= scale
                    let loss = loss(rows, changed, processors)
                    if loss < least * 0.999_9 {
                        (best, least, isImproved) = (changed, loss, true)
                        break
                    }
                }
            }
            if !isImproved { factor = factor.squareRoot() }
        }
        return best
    }

    /// How far the predictions with these parameters are from the rows.
    package static func deviation(
        _ rows: [MeasuredTime], _ parameters: CostParameters, processors: Int
    ) -> Deviation {
        let model = CostModel(parameters)
        let errors = rows.compactMap { row in
            model.predicted(row.algorithm, row.query(processors: processors)).map {
                abs($0 - row.seconds) / row.seconds
            }
        }.sorted()
        guard let largest = errors.last else { return Deviation(median: 0, largest: 0) }
        return Deviation(median: errors[errors.count / 2], largest: largest)
    }

    /// The parameters that the rows depend on.
    private static func fields(
        for rows: [MeasuredTime], processors: Int
    ) -> [WritableKeyPath<CostParameters, Double>] {
        var fields: [WritableKeyPath<CostParameters, Double>] = [\.perOperation]
        if rows.contains(where: { $0.ranksPerHost > 1 }) {
            fields += [\.sameHost.latency, \.sameHost.perMessage, \.sameHost.perByte]
        }
        if rows.contains(where: { $0.ranksPerHost < $0.ranks }) {
            fields += [
                \.betweenHosts.latency, \.betweenHosts.perMessage, \.betweenHosts.perByte,
                \.betweenHosts.bandwidth,
            ]
        }
        if rows.contains(where: { $0.ranksPerHost > processors }) { fields += [\.perSwitch, \.perWake] }
        if rows.contains(where: { [.allReduce, .reduceScatter, .reduce].contains($0.collective) }) {
            fields.append(\.reducePerByte)
        }
        return fields
    }

    private static func loss(_ rows: [MeasuredTime], _ parameters: CostParameters, _ processors: Int)
        -> Double
    {
        let model = CostModel(parameters)
        return rows.reduce(0) { sum, row in
            guard let predicted = model.predicted(row.algorithm, row.query(processors: processors)),
                predicted > 0
            else { return sum }
            let off = max(predicted / row.seconds, row.seconds / predicted) - 1
            return sum + min(off * off, 4)
        }
    }
}
