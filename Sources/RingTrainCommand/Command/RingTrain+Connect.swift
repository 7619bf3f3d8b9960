extension RingTrain {
    public func run() throws {
        try train(over: SoloExchange(), transport: "none")
    }
}
