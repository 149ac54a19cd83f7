using System.ComponentModel.DataAnnotations;

namespace OllamaMax.Diagnostics;

/// <summary>
/// An option that is a time between two others. <see cref="RangeAttribute"/> reads its limits when it is first asked, and where two hosts of a process ask at once
/// one of them gets an exception: these are read before anybody asks.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class TimeSpanRangeAttribute : RangeAttribute
{
    /// <param name="minimum">Such as <c>00:00:01</c>; itself allowed.</param>
    /// <param name="maximum">Itself allowed.</param>
    public TimeSpanRangeAttribute(string minimum, string maximum)
        : base(typeof(TimeSpan), minimum, maximum)
    {
        ParseLimitsInInvariantCulture = true;
        ConvertValueInInvariantCulture = true;
        IsValid(TimeSpan.Zero);
    }
}
