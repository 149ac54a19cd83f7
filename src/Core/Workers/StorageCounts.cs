namespace OllamaMax.Workers;

/// <summary>Operations on the storage account, by what they are billed as.</summary>
public readonly record struct StorageCounts(long Reads, long Writes, long Lists, long Queue);
