package import RingCore

/// How long one algorithm took at one size, as measured.
package struct MeasuredTime: Sendable, Hashable {
    /// The collective.
    package var collective: Collective
    /// The name of the algorithm.
    package var algorithm: String
    /// How many ranks there were, and how many of them on a host.
    package var ranks: Int
    package var ranksPerHost: Int
    /// The bytes of one element.
    package var elementSize: Int
    /// The bytes of the whole collective; see ``CostQuery/byteCount``.
    package var bytes: Int
    /// The time, on the slowest rank.
    package var seconds: Double

    /// Creates a row.
    package init(
        _ collective: Collective, _ algorithm: String, ranks: Int, ranksPerHost: Int, elementSize: Int,
        bytes: Int, seconds: Double
    ) {
        self.collective = collective
        self.algorithm = algorithm
        self.ranks = ranks
        self.ranksPerHost = ranksPerHost
        self.elementSize = elementSize
        self.bytes = bytes
        self.seconds = seconds
    }

    /// The call that was measured, on hosts with so many processors.
    package func query(processors: Int) -> CostQuery {
        CostQuery(
            collective, elementCount: bytes / elementSize, elementSize: elementSize,
            topology: RankTopology(worldSize: ranks, ranksPerHost: ranksPerHost, processors: processors))
    }
}

/// Measured times to look up: by collective, ranks and element size, interpolated between sizes.
package struct MeasuredTimes: Sendable {
    private struct Setting: Hashable {
        var collective: Collective
        var ranks: Int
        var ranksPerHost: Int
    }

    private struct Point {
        var bytes: Int
        var seconds: Double
    }

    /// The points of each algorithm, rising in size, by element size.
    private var settings: [Setting: [Int: [String: [Point]]]] = [:]

    /// Sorts rows into a table. Of several for the same size, the last counts.
    package init(_ rows: [MeasuredTime] = []) {
        for row in rows {
            let setting = Setting(
                collective: row.collective, ranks: row.ranks, ranksPerHost: row.ranksPerHost)
            var points = settings[setting]?[row.elementSize]?[row.algorithm] ?? []
            let point = Point(bytes: row.bytes, seconds: row.seconds)
            let place = points.firstIndex { $0.bytes >= row.bytes } ?? points.count
            if place < points.count, points[place].bytes == row.bytes {
                points[place] = point
            } else {
                points.insert(point, at: place)
            }
            settings[setting, default: [:]][row.elementSize, default: [:]][row.algorithm] = points
        }
    }

    /// The seconds that each measured algorithm takes for a call; empty where nothing like it was measured.
    ///
    /// Rows of the same element size count; without any, those of the nearest that was measured. Between two
    /// sizes the time is on the line through both, below the smallest it is that of the smallest, and above the
    /// largest it grows with the size.
    package func times(_ query: CostQuery) -> [String: Double] {
        let setting = Setting(
            collective: query.collective, ranks: query.topology.worldSize,
            ranksPerHost: query.topology.ranksPerHost)
        guard let sizes = settings[setting] else { return [:] }
        let nearest = sizes.keys.min {
            (abs($0 - query.elementSize), $0) < (abs($1 - query.elementSize), $1)
        }
        guard let nearest, let algorithms = sizes[nearest] else { return [:] }
        return algorithms.mapValues { Self.interpolate($0, at: query.byteCount) }
    }

    private static func interpolate(_ points: [Point], at bytes: Int) -> Double {
        guard let above = points.firstIndex(where: { $0.bytes >= bytes }) else {
            let last = points[points.count - 1]
            return last.seconds * Double(bytes) / Double(max(1, last.bytes))
        }
        guard above > 0 else { return points[0].seconds }
        let (left, right) = (points[above - 1], points[above])
        let part = Double(bytes - left.bytes) / Double(right.bytes - left.bytes)
        return left.seconds + part * (right.seconds - left.seconds)
    }
}
