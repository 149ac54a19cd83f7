using System.Diagnostics;

namespace OllamaMax.Diagnostics;

/// <summary>The system's one source of traces, and the prefix of its meters' names.</summary>
public static class Telemetry
{
    public const string Name = "OllamaMax";

    public static readonly ActivitySource Source = new(Name);
}
