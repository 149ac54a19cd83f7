namespace OllamaMax.LocalHost;

/// <summary>How long each part may take to end when all end. One ends after the other, in this order, and Ctrl-C is to end all within 5 s: together they are no longer.</summary>
internal static class StopGraces
{
    /// <summary>For finishing or handing back what runs.</summary>
    public static readonly TimeSpan Workers = TimeSpan.FromSeconds(1.75);

    /// <summary>For what is still being answered once no worker answers any more.</summary>
    public static readonly TimeSpan Requests = TimeSpan.FromSeconds(0.5);

    /// <summary>Of an edge that is a process of its own: its requests', and its end.</summary>
    public static readonly TimeSpan EdgeProcess = TimeSpan.FromSeconds(0.75);

    public static readonly TimeSpan SignalR = TimeSpan.FromSeconds(0.5);

    /// <summary>For writing what storage holds to the disk: killed, it loses the last seconds.</summary>
    public static readonly TimeSpan Azurite = TimeSpan.FromSeconds(2);
}
