import RingCore
import RingPlan
import RingTransport

extension CollectiveOperation {
    /// Checks the arguments as far as one rank can, and makes them a request to the engine.
    ///
    /// `place` says where in a group the operation is. Throws `.invalidArgument` saying what is wrong on which rank;
    /// nothing has been sent then.
    func request(
        rank: Rank, worldSize: Int, defaultTimeout: Duration, chooser: AlgorithmChooser,
        place: @autoclosure () -> String = ""
    ) throws(CollectiveError) -> OperationRequest {
        func invalid(_ reason: String) -> CollectiveError {
            CollectiveError(
                .invalidArgument, "rank \(rank): \(place())\(collective.name): \(reason)", peer: rank)
        }
        let size = dataType.byteCount
        func requireWhole(_ count: Int, _ name: String) throws(CollectiveError) {
            guard count % size != 0 else { return }
            throw invalid(
                "the \(name) has \(count) bytes, which is not a whole number of \(dataType.name) elements")
        }
        try requireWhole(input?.count ?? 0, "input")
        try requireWhole(output.count, "buffer")
        if let root, root < 0 || root >= worldSize {
            throw invalid("there is no rank \(root) to be the root; ranks are 0 to \(worldSize - 1)")
        }
        if let message {
            let verb = message.direction == .send ? "send to" : "receive from"
            guard message.peer != rank else { throw invalid("a rank cannot \(verb) itself") }
            guard message.peer >= 0, message.peer < worldSize else {
                throw invalid("there is no rank \(message.peer) to \(verb); ranks are 0 to \(worldSize - 1)")
            }
        }
        let timeout = timeout ?? defaultTimeout
        guard timeout > .zero else {
            throw invalid("the timeout is \(timeout.shortText); it must be positive")
        }
        let shape: OperationShape
        do {
            shape = try ShapeFinder(self, rank: rank, worldSize: worldSize).shape()
        } catch { throw invalid(error.reason) }
        if let input, input.overlaps(UnsafeRawBufferPointer(output)) {
            throw invalid("input and output overlap; use the in-place form")
        }
        let compressionRequest: CompressionRequest?
        do {
            compressionRequest = try self.compressionRequest(elementCount: shape.elementCount)
        } catch {
            var refusal = invalid(error.reason)
            refusal.code = error.code
            throw refusal
        }
        let isInPlace = input == nil || isCarriedOutInPlace
        let plans = try algorithm.planFile.map { path throws(CollectiveError) in
            try chooser.library.plans(path)
        }
        let name =
            algorithm.name.map { Planners.resolved($0, for: collective) }
            ?? chooser.name(
                collective, shape, elementSize: size, isInPlace: isInPlace, compression: compression)
        if !compression.isLossless, !Selector.keepsResultsAlike(name, collective) || plans != nil {
            throw invalid(
                "compression \(compression.name) needs an algorithm that completes each element on one rank, which "
                    + (plans == nil ? name : "a plan file") + " does not promise; use ring, direct or auto")
        }
        return OperationRequest(
            signature: OperationSignature(
                collective: collective, dataType: dataType, op: op, elementCount: shape.elementCount,
                root: root,
                algorithm: plans.map { AlgorithmCode(rawValue: $0.digest) } ?? AlgorithmCode(name: name),
                detail: shape.detail, codec: compression.code),
            algorithm: name, isInPlace: isInPlace, input: isCarriedOutInPlace ? nil : input?.baseAddress,
            output: output.baseAddress,
            timeout: timeout, message: message,
            initialCopy: initialCopy(shape, rank: rank, worldSize: worldSize),
            extras: .of(counts: shape.counts, plans: plans, compression: compressionRequest), owners: owners)
    }

    /// Checks a group of operations, each for itself and against the others, and makes them requests.
    static func requests(
        _ group: [CollectiveOperation], rank: Rank, worldSize: Int, defaultTimeout: Duration,
        chooser: AlgorithmChooser
    ) throws(CollectiveError) -> [OperationRequest] {
        guard !group.isEmpty else {
            throw CollectiveError(.invalidArgument, "rank \(rank): the group has no operations", peer: rank)
        }
        var requests: [OperationRequest] = []
        requests.reserveCapacity(group.count)
        for (index, operation) in group.enumerated() {
            requests.append(
                try operation.request(
                    rank: rank, worldSize: worldSize, defaultTimeout: defaultTimeout, chooser: chooser,
                    place: "operation \(index) of a group of \(group.count): "))
        }
        try checkOverlaps(group, rank: rank)
        return requests
    }

    /// Operations of a group run at once, so none may write what another uses.
    private static func checkOverlaps(_ group: [CollectiveOperation], rank: Rank) throws(CollectiveError) {
        // By address, so that a group of many needs no comparison of all with all.
        var areas: [(bytes: UnsafeRawBufferPointer, isWritten: Bool, index: Int)] = []
        areas.reserveCapacity(2 * group.count)
        for (index, operation) in group.enumerated() {
            if !operation.output.isEmpty {
                areas.append((UnsafeRawBufferPointer(operation.output), true, index))
            }
            if let input = operation.input, !input.isEmpty { areas.append((input, false, index)) }
        }
        areas.sort { $0.bytes.baseAddress! < $1.bytes.baseAddress! }
        var (lastWritten, lastRead): (Int?, Int?)
        for (position, area) in areas.enumerated() {
            func overlapping(_ earlier: Int?) -> Int? {
                earlier.flatMap { areas[$0].bytes.overlaps(area.bytes) ? $0 : nil }
            }
            if let earlier = overlapping(lastWritten) ?? (area.isWritten ? overlapping(lastRead) : nil) {
                let (first, second) = (areas[earlier].index, area.index)
                throw CollectiveError(
                    .invalidArgument,
                    "rank \(rank): operations \(min(first, second)) and \(max(first, second)) of a group of "
                        + "\(group.count) use the same memory, and one of them writes it", peer: rank)
            }
            func reaches(_ earlier: Int?) -> Bool {
                earlier.map { areas[$0].bytes.end > area.bytes.end } ?? false
            }
            if area.isWritten {
                if !reaches(lastWritten) { lastWritten = position }
            } else if !reaches(lastRead) {
                lastRead = position
            }
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate var end: UnsafeRawPointer { baseAddress! + count }

    /// Whether both have a byte in common.
    func overlaps(_ other: UnsafeRawBufferPointer) -> Bool {
        guard !isEmpty, !other.isEmpty, let start = baseAddress, let otherStart = other.baseAddress else {
            return false
        }
        return start < otherStart + other.count && otherStart < start + count
    }
}
