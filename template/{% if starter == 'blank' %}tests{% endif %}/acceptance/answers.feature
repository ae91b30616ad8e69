Feature: Answers for rows like those of our table
  Whoever asks the service hands over rows as the table has them, without the column to predict.
  Scenarios in the words of your own field go beside this one.

  Background:
    Given some rows of our table

  Scenario: Every row gets an answer that the contract allows
    When the service is asked about the rows
    Then there is an answer for each row, inside its contract

  Scenario: Rows are answered in their order
    When the service is asked about the rows
    Then each row has the answer that it has when asked about alone

  Scenario: A row that lacks a column is refused
    Given the second row lacks a column
    When the service is asked about the rows
    Then the answer is no, because of that column of the second row

  Scenario: Every answer names the version of the model
    When the service is asked about the rows
    Then the answer comes from the version that is registered

  Scenario: A file gets the answers that the service gives
    When the service is asked about the rows
    And the rows are handed in as a file
    Then the file comes back with the same answers
