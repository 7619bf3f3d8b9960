import RingCore

extension Trainer {
    /// Takes up the state that the run goes on from, on rank 0 the parameters too; how many epochs are done.
    ///
    /// Rank 0 alone needs the file.
    func resume() throws -> Int {
        guard let path = files.resumed else { return 0 }
        let found =
            exchange.rank == 0
            ? Result { try Checkpoint.read(path, for: checkpointedRun, epochs: settings.epochs) } : nil
        // The epochs that are done and whether there are residuals; -1 where there is no state to go on from.
        var announcement = [0.0, 0]
        switch found {
        case .success(let checkpoint):
            announcement = [Double(checkpoint.epochs), checkpoint.residuals.isEmpty ? 0 : 1]
        case .failure: announcement = [-1, 0]
        case nil: break
        }
        try exchange.sum(&announcement)
        guard announcement[0] >= 0 else {
            if case .failure(let error) = found {
                throw TrainingError(message: "\(error)", isKnownToAllRanks: true)
            }
            throw TrainingError(message: "rank 0 cannot resume", isKnownToAllRanks: true)
        }
        let checkpoint = try found?.get()
        if let checkpoint {
            parameters.copy(checkpoint.parameters)
            optimizer.velocity.copy(checkpoint.velocity)
        }
        try exchange.broadcast(optimizer.velocity.elements)
        if announcement[1] > 0 {
            let residual = FloatBuffer(count: shape.parameterCount)
            for rank in 0..<exchange.worldSize {
                if let checkpoint { residual.copy(checkpoint.residuals[rank]) }
                try exchange.broadcast(residual.elements)
                if rank == exchange.rank { reducer.restore(Array(residual.elements)) }
            }
        }
        return Int(announcement[0])
    }

    /// Writes the state after so many epochs, if it is to be kept.
    func save(epochs: Int) throws {
        guard let path = files.saved else { return }
        var residuals: [[Float]] = []
        if let own = reducer.residual {
            let all = Checkpoint.floats(try exchange.allGather(own.withUnsafeBytes { Array($0) }))
            residuals = (0..<exchange.worldSize).map { Array(all[$0 * own.count..<($0 + 1) * own.count]) }
        }
        guard exchange.rank == 0 else { return }
        try Checkpoint(
            run: checkpointedRun, epochs: epochs, parameters: Array(parameters.elements),
            velocity: Array(optimizer.velocity.elements), residuals: residuals
        ).write(to: path)
    }
}

extension FloatBuffer {
    /// Replaces all elements.
    fileprivate func copy(_ values: [Float]) {
        precondition(values.count == count, "\(values.count) elements for a buffer of \(count)")
        start.update(from: values, count: count)
    }
}
