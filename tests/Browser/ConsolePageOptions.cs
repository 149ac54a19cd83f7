namespace OllamaMax.Browser.Tests;

/// <summary>How a page of the console is looked at.</summary>
internal sealed record ConsolePageOptions
{
    public int Width { get; init; } = 1280;

    public int Height { get; init; } = 800;

    public bool IsDark { get; init; }

    /// <summary>Otherwise it is asked for one.</summary>
    public bool HasKey { get; init; } = true;

    /// <summary>Where the browser finds the edge, with a slash at the end; null: at the system's address.</summary>
    public Uri? BaseAddress { get; init; }
}
