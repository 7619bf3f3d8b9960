import RingCore

extension Plan {
    /// Checks everything about this plan that can be known without the other ranks' plans.
    ///
    /// The engine may run a plan that passes without ever leaving its buffers: slices lie within them, chunks
    /// tile the elements, peers exist, the input is never written, dependencies exist and come before, and no
    /// two conflicting accesses are left unordered.
    package func validate() throws(PlanRefutation) {
        try validateHeader()
        try validateSteps()
        try validateAccessOrder()
    }

    private func validateHeader() throws(PlanRefutation) {
        func refute(_ reason: String) -> PlanRefutation { PlanRefutation(.header, rank: rank, reason) }
        guard worldSize >= 1, worldSize <= Self.largestWorldSize else {
            throw refute("a world size of \(worldSize); it must be 1 to \(Self.largestWorldSize)")
        }
        guard rank >= 0, rank < worldSize else {
            throw refute("the rank is not one of 0 to \(worldSize - 1)")
        }
        guard elementCount >= 0, elementCount <= Self.largestCount else {
            throw refute("\(elementCount) elements; it must be 0 to \(Self.largestCount)")
        }
        guard scratchCount >= 0, scratchCount <= Self.largestCount else {
            throw refute("\(scratchCount) elements of scratch; it must be 0 to \(Self.largestCount)")
        }
        if collective == .sendReceive { throw refute("\(collective.name) has no plans") }
        if collective.isRooted {
            guard let root, root >= 0, root < worldSize else {
                throw refute("\(collective.name) needs a root of 0 to \(worldSize - 1)")
            }
        } else if root != nil {
            throw refute("\(collective.name) has no root")
        }
        guard collective != .barrier || elementCount == 0 else {
            throw refute("a barrier has no elements, not \(elementCount)")
        }
        if let fault = collective.fault(
            counts: counts, elementCount: elementCount, worldSize: worldSize, isInPlace: isInPlace)
        {
            throw refute(fault)
        }
        try validateChunks()
    }

    private func validateChunks() throws(PlanRefutation) {
        func refute(_ reason: String) -> PlanRefutation { PlanRefutation(.header, rank: rank, reason) }
        guard let last = chunks.last else { throw refute("no chunks; there is at least one") }
        if !chunks.isEven {
            var end = 0
            for (index, chunk) in chunks.enumerated() {
                guard chunk.lowerBound == end else {
                    throw refute("chunk \(index) starts at \(chunk.lowerBound), not at \(end): chunks tile")
                }
                end = chunk.upperBound
            }
        }
        guard last.upperBound == elementCount else {
            throw refute("the chunks end at \(last.upperBound), not at the element count, \(elementCount)")
        }
    }

    private func validateSteps() throws(PlanRefutation) {
        let counts = Buffer.allCases.map { count(of: $0) }
        for (index, step) in steps.enumerated() {
            if let send = step.send {
                try validate(peer: send.peer, in: index)
                try validate(send.source, counts, in: index)
                try validate(send.after, in: index)
            }
            if let receive = step.receive {
                try validate(peer: receive.peer, in: index)
                try validate(receive.destination, counts, in: index)
                try validateWritten(receive.destination, in: index)
                if case .reduce(let own, _) = receive.action {
                    try validate(own, counts, in: index)
                    try validateOperand(own, of: receive.destination, mayCoincide: true, in: index)
                }
                try validate(receive.after, in: index)
            }
            if let copy = step.copy {
                guard step.send == nil, step.receive == nil else {
                    throw PlanRefutation(.geometry, rank: rank, step: index, "a copy beside a transfer")
                }
                try validate(copy.source, counts, in: index)
                try validate(copy.destination, counts, in: index)
                try validateWritten(copy.destination, in: index)
                try validateOperand(copy.source, of: copy.destination, mayCoincide: false, in: index)
                try validate(copy.after, in: index)
            }
        }
    }

    private func validate(peer: Rank, in step: Int) throws(PlanRefutation) {
        guard peer >= 0, peer < worldSize else {
            throw PlanRefutation(.geometry, rank: rank, step: step, "peer \(peer) of \(worldSize) ranks")
        }
        guard peer != rank else {
            throw PlanRefutation(.geometry, rank: rank, step: step, "the rank is its own peer")
        }
    }

    private func validate(_ slice: Slice, _ counts: [Int], in step: Int) throws(PlanRefutation) {
        guard !slice.chunks.isEmpty, slice.chunks.lowerBound >= 0, slice.chunks.upperBound <= chunks.count
        else {
            throw PlanRefutation(
                .geometry, rank: rank, step: step, "\(slice.chunks.chunkText) of \(chunks.count)")
        }
        let wanted = chunks.elements(of: slice.chunks).count
        guard slice.range.count == wanted else {
            throw PlanRefutation(
                .geometry, rank: rank, step: step,
                "\(slice) is \(slice.range.count) elements, its chunks are \(wanted)")
        }
        if isInPlace, slice.buffer == .input {
            throw PlanRefutation(
                .geometry, rank: rank, step: step, "\(slice), but an in-place plan has no input")
        }
        let capacity = counts[slice.buffer.rawValue]
        guard slice.range.lowerBound >= 0, slice.range.upperBound <= capacity else {
            throw PlanRefutation(
                .geometry, rank: rank, step: step, "\(slice) is outside the buffer's \(capacity) elements")
        }
    }

    private func validateWritten(_ slice: Slice, in step: Int) throws(PlanRefutation) {
        guard slice.buffer != .input else {
            throw PlanRefutation(
                .geometry, rank: rank, step: step, "\(slice) is written, but the input never is")
        }
    }

    private func validateOperand(
        _ operand: Slice, of destination: Slice, mayCoincide: Bool, in step: Int
    ) throws(PlanRefutation) {
        guard operand.chunks == destination.chunks else {
            throw PlanRefutation(
                .geometry, rank: rank, step: step, "\(operand) goes to \(destination), of other chunks")
        }
        if operand.overlaps(destination), !(mayCoincide && operand == destination) {
            throw PlanRefutation(.geometry, rank: rank, step: step, "\(operand) overlaps \(destination)")
        }
    }

    private func validate(_ dependencies: [Dependency], in step: Int) throws(PlanRefutation) {
        for dependency in dependencies {
            let other = dependency.step
            guard other >= 0, other < step else {
                throw PlanRefutation(
                    .dependency, rank: rank, step: step, "after \(dependency), which is not an earlier step")
            }
            let exists =
                switch dependency {
                case .received: steps[other].receive != nil || steps[other].copy != nil
                case .sent: steps[other].send != nil
                }
            guard exists else {
                throw PlanRefutation(
                    .dependency, rank: rank, step: step, "after \(dependency), which that step does not do")
            }
        }
    }
}
