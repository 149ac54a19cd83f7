using Microsoft.Extensions.Options;

namespace OllamaMax.Edge;

/// <summary>Ranges of <see cref="EdgeOptions"/>, and the rules between them.</summary>
internal sealed class EdgeOptionsValidator : IValidateOptions<EdgeOptions>
{
    public ValidateOptionsResult Validate(string? name, EdgeOptions options)
    {
        List<string> errors = [];
        Check(nameof(options.MaxBodyBytes), options.MaxBodyBytes, 1 << 10, 1 << 30);
        Check(nameof(options.MaxImages), options.MaxImages, 1, 10_000);
        Check(nameof(options.MaxImageBytes), options.MaxImageBytes, 1 << 10, 1 << 30);
        Check(nameof(options.MaxDrainBytes), options.MaxDrainBytes, 0, 1 << 30);
        Check(nameof(options.MaxBlobBytes), options.MaxBlobBytes ?? long.MaxValue, 1 << 20, long.MaxValue);
        Check(nameof(options.JobDeadline), options.JobDeadline, TimeSpan.FromSeconds(1), TimeSpan.FromHours(24));
        Check(nameof(options.HeaderDelay), options.HeaderDelay, TimeSpan.Zero, TimeSpan.FromSeconds(200));
        Check(nameof(options.HeartbeatInterval), options.HeartbeatInterval, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(200));
        Check(nameof(options.SilenceLimit), options.SilenceLimit, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(220));
        Check(nameof(options.IdempotencyLifetime), options.IdempotencyLifetime, TimeSpan.FromSeconds(1), TimeSpan.FromHours(24));
        Check(nameof(options.IdempotencyGrace), options.IdempotencyGrace, TimeSpan.Zero, TimeSpan.FromMinutes(5));
        Check(nameof(options.IdempotencyBytes), options.IdempotencyBytes, 64 << 10, 16L << 30);
        if (options.AllowedHosts.Count == 0)
            errors.Add("AllowedHosts is empty: nobody could call; name hosts, or * for all.");
        if (options.TrustLoopback && options.AllowedHosts.Contains("*"))
            errors.Add("TrustLoopback with AllowedHosts * would let web pages in by DNS rebinding; name the hosts.");
        if (!Version.TryParse(options.OllamaVersion, out _))
            errors.Add($"OllamaVersion is '{options.OllamaVersion}', not a version such as 0.33.0.");
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);

        void Check<T>(string option, T value, T least, T most)
            where T : IComparable<T>
        {
            if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
                errors.Add($"{option} is {value}, not from {least} to {most}.");
        }
    }
}
