namespace OllamaMax.Edge.Ollama;

/// <summary>Durations as Ollama answers them: nanoseconds.</summary>
internal static class OllamaDuration
{
    public static long Of(TimeSpan duration) => duration.Ticks * TimeSpan.NanosecondsPerTick;
}
