Feature: The chance that a flight arrives late
  Before a departure, a dispatcher asks how likely the flight is to arrive more than a quarter of an
  hour late, and hands over the last weather report that is out by then.

  Background:
    Given a flight from Newark to Houston that leaves on an October morning

  Scenario Outline: Bad weather raises the chance
    When the dispatcher asks about the flight in fair weather
    And the dispatcher asks about the flight in <bad weather>
    Then the second chance is higher than the first

    Examples:
      | bad weather    |
      | a thunderstorm |
      | a snowstorm    |
      | fog            |

  Scenario: Delays add up over the day
    When the dispatcher asks about the flight at 6 o'clock
    And the dispatcher asks about the flight at 18 o'clock
    Then the second chance is higher than the first

  Scenario: A new plane and a new airport are accepted
    Given its plane was delivered yesterday
    And its destination is a new airport
    When the dispatcher asks about the flight
    Then there is a chance for each flight

  Scenario: An unknown airline is refused
    Given its airline is "ZZ"
    When the dispatcher asks about the flight
    Then the answer is no, because of the airline

  Scenario: Weather from the future is refused
    Given its weather report comes out only after the departure
    When the dispatcher asks about the flight
    Then the answer is no, because "the weather was published before the scheduled departure"

  Scenario: Yesterday's weather is refused
    Given its weather report is a day old
    When the dispatcher asks about the flight
    Then the answer is no, because "the weather was observed within six hours of the departure"

  Scenario: A whole day's schedule is answered in its order
    Given a day's schedule of 24 flights
    When the dispatcher asks about the schedule
    Then there is a chance for each flight
    And each flight has the chance that it has when asked about alone

  Scenario: One wrong flight holds up the schedule, and is pointed at
    Given a day's schedule of 24 flights
    And the airline of the 7th flight is "ZZ"
    When the dispatcher asks about the schedule
    Then the answer is no, because of the airline of the 7th flight

  Scenario: Every answer names the version of the model
    When the dispatcher asks about the flight
    Then the answer comes from the version that is registered

  Scenario: A file of flights gets the chances that the service gives
    Given a day's schedule of 24 flights
    When the dispatcher asks about the schedule
    And the schedule is handed in as a file
    Then the file comes back with the same chances
