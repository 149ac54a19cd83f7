using System.ComponentModel.DataAnnotations;
using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Limits;

/// <summary>Limits of use as configuration says them; what it leaves out is not limited. All edges count together.</summary>
public abstract class LimitSettings
{
    /// <summary>Inference requests in a minute of the clock.</summary>
    [Range(0, int.MaxValue)]
    public int? RequestsPerMinute { get; set; }

    /// <summary>Tokens of prompts and answers; counted when an answer has ended.</summary>
    [Range(0, long.MaxValue)]
    public long? TokensPerMinute { get; set; }

    /// <summary>In a day of UTC.</summary>
    [Range(0, long.MaxValue)]
    public long? TokensPerDay { get; set; }

    /// <summary>In a calendar month of UTC.</summary>
    [Range(0, long.MaxValue)]
    public long? TokensPerMonth { get; set; }

    /// <summary>Inference requests that are being answered at a time.</summary>
    [Range(0, int.MaxValue)]
    public int? Concurrent { get; set; }

    internal UsageLimits Usage
    {
        get => new()
        {
            RequestsPerMinute = RequestsPerMinute,
            TokensPerMinute = TokensPerMinute,
            TokensPerDay = TokensPerDay,
            TokensPerMonth = TokensPerMonth,
            Concurrent = Concurrent,
        };
        init => (RequestsPerMinute, TokensPerMinute, TokensPerDay, TokensPerMonth, Concurrent) =
            (value.RequestsPerMinute, value.TokensPerMinute, value.TokensPerDay, value.TokensPerMonth, value.Concurrent);
    }

    /// <summary>What is out of its range, under the name of the section's part that it is in.</summary>
    internal IEnumerable<ValidationResult> Errors(string part)
    {
        List<ValidationResult> errors = [];
        Validator.TryValidateObject(this, new ValidationContext(this), errors, validateAllProperties: true);
        return errors.Select(error => new ValidationResult($"{part}: {error.ErrorMessage}"));
    }
}
