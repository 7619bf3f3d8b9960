import RingTrainCommand

RingTrain.runAsProgram()
