namespace OllamaMax.GpuWorker;

/// <summary>Between one try and the next of what storage cannot give at the moment: half a minute in all.</summary>
internal static class StorageWaits
{
    public static IReadOnlyList<TimeSpan> All { get; } = [.. new[] { 0.5, 1, 2, 4, 8, 16 }.Select(TimeSpan.FromSeconds)];
}
