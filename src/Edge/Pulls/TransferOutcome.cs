namespace OllamaMax.Edge.Pulls;

/// <summary>What became of what people want of a transfer.</summary>
internal enum TransferOutcome
{
    /// <summary>There is no such transfer, or it has ended.</summary>
    NotThere,

    /// <summary>The model of the pull is being written.</summary>
    TooLate,

    /// <summary>SignalR did not take the message to its worker. Nothing has changed that cannot be asked for again.</summary>
    NotTold,

    Done,
}
