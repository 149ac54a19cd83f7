using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace OllamaMax.Edge.Tests;

public sealed class EdgeOptionsTests
{
    [Fact]
    public void Validate_Defaults_AreFine() => new EdgeOptionsValidator().Validate(null, new()).Succeeded.ShouldBeTrue();

    [Fact]
    public void Validate_SeveralWrong_AllAreTold()
    {
        EdgeOptions options = new() { MaxBodyBytes = 1, JobDeadline = TimeSpan.Zero, TrustLoopback = true, OllamaVersion = "new" };
        options.AllowedHosts.Add("*");

        ValidateOptionsResult result = new EdgeOptionsValidator().Validate(null, options);

        string[] errors = [.. result.Failures!];
        errors.Length.ShouldBe(4);
        errors[0].ShouldBe("MaxBodyBytes is 1, not from 1024 to 1073741824.");
    }

    [Fact]
    public void Read_Settings_TakesAmountsAndTimesAndNotWhomToTrust()
    {
        EdgeOptions options = new() { MaxBlobBytes = 7 };
        Dictionary<string, string?> settings = new()
        {
            ["OllamaMax:Edge:JobDeadline"] = "01:30:00", ["OllamaMax:Edge:MaxBodyBytes"] = "1024", ["OllamaMax:Edge:TrustLoopback"] = "true", ["OllamaMax:Edge:AllowedHosts:0"] = "*",
            ["OllamaMax:Edge:OllamaVersion"] = "0.30.1",
        };

        options.Read(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());

        (options.JobDeadline, options.MaxBodyBytes, options.MaxBlobBytes, options.MaxDrainBytes).ShouldBe((TimeSpan.FromMinutes(90), 1024, 7, 64 << 20));
        options.OllamaVersion.ShouldBe("0.30.1");
        options.TrustLoopback.ShouldBeFalse();
        options.AllowedHosts.ShouldNotContain("*");
    }

    /// <summary>Each amount and time has a line in it.</summary>
    [Fact]
    public void Read_EveryNumber_IsASetting()
    {
        PropertyInfo[] numbers = [.. typeof(EdgeOptions).GetProperties().Where(option => option.PropertyType != typeof(bool) && option.PropertyType.IsValueType)];
        EdgeOptions options = new();

        options.Read(new ConfigurationBuilder().AddInMemoryCollection(numbers.Select(option => KeyValuePair.Create($"{EdgeOptions.Section}:{option.Name}", (string?)"3"))).Build());

        numbers.Length.ShouldBeGreaterThanOrEqualTo(10);
        numbers.ShouldAllBe(option => option.GetValue(options)!.Equals(3L) || option.GetValue(options)!.Equals(3) || option.GetValue(options)!.Equals(TimeSpan.FromDays(3)));
    }
}
