namespace OllamaMax.Cli;

/// <summary>What a script can tell from an end.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>The edge refused or failed, or a check of the doctor did; an error in the arguments too.</summary>
    public const int Failed = 1;

    /// <summary>Nobody answers at the edge's address.</summary>
    public const int Unreachable = 2;

    /// <summary>No key, a wrong one, or one that may not do this.</summary>
    public const int Denied = 3;

    /// <summary>What was asked for is not there.</summary>
    public const int NotFound = 4;

    /// <summary>Full, or over a limit: worth another try later.</summary>
    public const int Busy = 5;

    /// <summary>As shells have it for Ctrl-C.</summary>
    public const int Interrupted = 130;
}
