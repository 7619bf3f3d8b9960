extension Plan {
    /// Checks that any two conflicting accesses to the same elements are ordered by the dependencies.
    ///
    /// Two accesses conflict when at least one writes. It is enough that each access comes after those that
    /// ``AccessLedger`` names, since these come, in turn, after everything before them.
    func validateAccessOrder() throws(PlanRefutation) {
        let order = LocalOrder(self)
        var ledgers = Buffer.allCases.map { AccessLedger(count: count(of: $0)) }
        var earlier: [Int] = []
        for (index, step) in steps.enumerated() {
            let node = LocalOrder.node(of: .received(index))
            if let send = step.send {
                let node = LocalOrder.node(of: .sent(index))
                ledgers[send.source.buffer.rawValue].read(send.source.range, by: node, after: &earlier)
                try validate(node, "sends", send.source, comesAfter: &earlier, in: order)
            }
            if let receive = step.receive {
                if case .reduce(let own, _) = receive.action {
                    ledgers[own.buffer.rawValue].read(own.range, by: node, after: &earlier)
                    try validate(node, "reads", own, comesAfter: &earlier, in: order)
                }
                let destination = receive.destination
                ledgers[destination.buffer.rawValue].write(destination.range, by: node, after: &earlier)
                try validate(node, "writes", destination, comesAfter: &earlier, in: order)
            }
            if let copy = step.copy {
                ledgers[copy.source.buffer.rawValue].read(copy.source.range, by: node, after: &earlier)
                try validate(node, "reads", copy.source, comesAfter: &earlier, in: order)
                ledgers[copy.destination.buffer.rawValue].write(
                    copy.destination.range, by: node, after: &earlier)
                try validate(node, "writes", copy.destination, comesAfter: &earlier, in: order)
            }
        }
    }

    private func validate(
        _ node: Int, _ verb: String, _ slice: Slice, comesAfter earlier: inout [Int], in order: LocalOrder
    ) throws(PlanRefutation) {
        for other in earlier where !order.comes(other, before: node) {
            let event = LocalOrder.dependency(other)
            throw PlanRefutation(
                .race, rank: rank, step: node / 2,
                "\(verb) \(slice), which is not ordered after \"\(event)\", a conflicting access: a race")
        }
        earlier.removeAll(keepingCapacity: true)
    }
}

/// The order that a plan's dependencies put its transfers and copies in.
///
/// Each is a *node*: twice its step's index, plus one for a send.
struct LocalOrder {
    /// Where each node's predecessors begin in `predecessors`; one entry more than there are nodes.
    private(set) var starts: [Int] = [0]
    /// The nodes that each node directly comes after.
    private(set) var predecessors: [Int] = []

    init(_ plan: Plan) {
        starts.reserveCapacity(2 * plan.steps.count + 1)
        for step in plan.steps {
            append(step.receive?.after ?? step.copy?.after ?? [])
            append(step.send?.after ?? [])
        }
    }

    private mutating func append(_ dependencies: [Dependency]) {
        for dependency in dependencies { predecessors.append(Self.node(of: dependency)) }
        starts.append(predecessors.count)
    }

    /// The node of an event.
    static func node(of dependency: Dependency) -> Int {
        switch dependency {
        case .received(let step): 2 * step
        case .sent(let step): 2 * step + 1
        }
    }

    /// The event of a node.
    static func dependency(_ node: Int) -> Dependency {
        node % 2 == 0 ? .received(node / 2) : .sent(node / 2)
    }

    /// Whether the dependencies, taken together, put one node before another.
    func comes(_ earlier: Int, before later: Int) -> Bool {
        for index in starts[later]..<starts[later + 1] where predecessors[index] == earlier { return true }
        // Dependencies lead to earlier steps only, so a search backwards may stop at the step looked for.
        let firstStep = earlier / 2
        var seen: Set<Int> = []
        var open = [later]
        while let node = open.popLast() {
            for index in starts[node]..<starts[node + 1] {
                let predecessor = predecessors[index]
                if predecessor == earlier { return true }
                if predecessor / 2 > firstStep, seen.insert(predecessor).inserted { open.append(predecessor) }
            }
        }
        return false
    }
}
