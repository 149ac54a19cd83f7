namespace OllamaMax.Edge.Pulls;

/// <summary>Something that moves models: pulls, and workers that make copies.</summary>
internal interface ITransferSource
{
    /// <summary>All of it at this moment.</summary>
    ValueTask<IReadOnlyList<TransferAnswer>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Ends one.</summary>
    ValueTask<TransferOutcome> CancelAsync(string id, CancellationToken cancellationToken);
}
