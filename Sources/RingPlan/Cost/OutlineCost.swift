/// The seconds of an outlined algorithm, by a formula: a fraction of a microsecond's work, and the same number on
/// every rank, since it is made of sums, products and comparisons only.
///
/// The time is that of whatever is busiest: the chain of messages that wait for one another, each with the first
/// piece of its bytes; the busiest rank's thread; a host's processors, shared by its ranks; a host's network. (The
/// terms are those of Hockney, "The communication challenge for MPP" (1994), and of LogGP by Alexandrov, Ionescu,
/// Schauser and Scheiman (1995); the maximum instead of their sum is what following byte by byte gains.)
struct OutlineCost {
    private let outline: AlgorithmOutline
    private let parameters: CostParameters
    private let topology: RankTopology

    init(_ outline: AlgorithmOutline, _ parameters: CostParameters, _ topology: RankTopology) {
        self.outline = outline
        self.parameters = parameters
        self.topology = topology
    }

    /// The predicted time.
    var seconds: Double {
        let copies = outline.copiedBytes * parameters.copyPerByte
        guard !outline.rounds.isEmpty else { return parameters.perOperation + copies }
        let chain = outline.rounds.reduce(0) { $0 + Double($1.repeats) * hop($1) }
        let whole = bottleneck { $0 } + copies
        if outline.isSteady { return parameters.perOperation + max(chain, whole) }
        let first = bottleneck { min($0, parameters.grain) }
        return parameters.perOperation + max(chain, first) + max(0, whole - first)
    }

    // MARK: One transfer

    /// What part of a round's transfers leave their host.
    private func crossing(_ reach: AlgorithmOutline.Reach) -> Double {
        guard topology.hosts > 1 else { return 0 }
        let perHost = topology.ranksPerHost
        switch reach {
        case .shift(let distance):
            let shortest = min(distance, topology.worldSize - distance)
            return min(1, Double(shortest) / Double(perHost))
        case .exchange(let distance):
            guard distance < perHost else { return 1 }
            // Groups of a power of two do not straddle hosts of as many.
            return perHost % (2 * distance) == 0 ? 0 : Double(distance) / Double(perHost)
        case .everyone: return Double(topology.worldSize - perHost) / Double(topology.worldSize - 1)
        }
    }

    /// A cost of links, weighted by what part of the transfers leave their host.
    private func mixed(_ away: Double, _ cost: KeyPath<LinkCost, Double>) -> Double {
        (1 - away) * parameters.sameHost[keyPath: cost] + away * parameters.betweenHosts[keyPath: cost]
    }

    /// What the host with the most of them sends of a round's transfers to other hosts.
    private func leaving(_ round: AlgorithmOutline.Round) -> Double {
        let here = max(
            round.transfers * Double(topology.ranksPerHost) / Double(topology.worldSize),
            max(round.sends, round.receives))
        return here * crossing(round.reach)
    }

    /// From the moment when a rank can send until the receiver has dealt with the first piece.
    private func hop(_ round: AlgorithmOutline.Round) -> Double {
        // Of transfers between one rank and all others, the slowest counts.
        let away = round.reach == .everyone && topology.hosts > 1 ? 1 : crossing(round.reach)
        guard round.waits else { return mixed(away, \.perMessage) }
        let piece = min(round.bytes, parameters.grain)
        let atOnce = max(1, round.sends, round.receives)
        var time = mixed(away, \.latency) + (1 + atOnce) * mixed(away, \.perMessage)
        time += piece * (2 * mixed(away, \.perByte) + (round.reduces ? parameters.reducePerByte : 0))
        if topology.isCrowded { time += parameters.perWake + parameters.perSwitch }
        if topology.hosts > 1 {
            time += away * piece * max(1, leaving(round)) / parameters.betweenHosts.bandwidth
        }
        return time
    }

    // MARK: What is busiest

    /// The longest of the times for which a rank, a host's processors and its network are busy, when each
    /// transfer has so many of its bytes.
    private func bottleneck(_ bytes: (Double) -> Double) -> Double {
        var rank = 0.0
        var host = 0.0
        var network = 0.0
        for round in outline.rounds {
            let repeats = Double(round.repeats)
            let moved = bytes(round.bytes)
            let messages = moved < round.bytes ? 1 : round.messages
            let away = crossing(round.reach)
            let perMessage = messages * mixed(away, \.perMessage)
            let sending = perMessage + moved * mixed(away, \.perByte)
            let receiving = sending + (round.reduces ? moved * parameters.reducePerByte : 0)
            // A rank that is back at work finds the messages that have come meanwhile: two, say.
            let waking = topology.isCrowded ? parameters.perSwitch / 2 : 0
            rank += repeats * (round.sends * sending + round.receives * receiving)
            host += repeats * round.transfers * (sending + receiving + waking)
            network += repeats * leaving(round) * moved
        }
        let processors = Double(min(topology.processors, topology.ranksPerHost))
        host *= Double(topology.ranksPerHost) / Double(topology.worldSize) / processors
        // Work does not come in parts that keep all processors busy to the end. At worst they wait for all of the
        // busiest rank's (Graham, "Bounds on multiprocessing timing anomalies" (1969)); half of that, say.
        if topology.isCrowded { host += (1 - 1 / processors) * rank / 2 }
        guard topology.hosts > 1 else { return max(rank, host) }
        return max(rank, host, network / parameters.betweenHosts.bandwidth)
    }
}
